"""What firewalls say, from what their programs and files say; of each system on any system."""

from __future__ import annotations

from collections.abc import Mapping
from string import Formatter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat_server.reachability import (
    Finding,
    System,
    WindowsFirewall,
    active_zones,
    firewall_findings,
    windows_verdict,
)
from common.domain.reasons import Reason
from common.domain.sentences import whole_sentence

PORT = 12345

ZONES = """\
block
  target: %%REJECT%%
  icmp-block-inversion: no
  interfaces:
  sources:
  services:
  ports:

home{home}
  target: default
  interfaces: wlan0
  services: dhcpv6-client mdns ssh
  ports: {ports}
  rich rules:
\trule family="ipv4" source address="192.0.2.0/24" accept

trusted
  target: ACCEPT
  ports:
"""
"""As firewalld 1.3 prints it."""

UFW = """\
# Set to yes to start on boot. If setting this remotely, be sure to add a rule
# to allow your remote connection before starting ufw. Eg: 'ufw allow 22/tcp'
ENABLED=%s
LOGLEVEL=low
"""

NFTABLES = """\
#!/usr/sbin/nft -f
flush ruleset
table inet filter {
\tchain input {
\t\ttype filter hook input priority filter;%s
\t}
}
"""
SERVICE = "/etc/systemd/system/sysinit.target.wants/nftables.service"


def system(
    platform: str = "linux",
    *,
    printed: Mapping[str, str] | None = None,
    files: Mapping[str, str] | None = None,
    windows: WindowsFirewall | None = None,
    executable: str = "/opt/chat/ChatServer",
) -> System:
    """A system whose programs print that, by their last argument, and that has those files."""
    answers, texts = printed or {}, files or {}
    return System(
        platform,
        executable,
        lambda arguments: answers.get(arguments[-1]),
        texts.get,
        texts.__contains__,
        lambda: windows,
    )


def zones(ports: str, *, home: str = " (active)") -> System:
    """A firewalld whose active zone has these ports."""
    return system(printed={"--list-all-zones": ZONES.format(ports=ports, home=home)})


def one(here: System) -> Finding:
    """The only finding."""
    (found,) = firewall_findings(PORT, here)
    return found


@pytest.mark.parametrize(
    ("ports", "verdict"),
    [
        ("12345/tcp", "open"),
        ("22/tcp 1025-65535/udp 1025-65535/tcp", "open"),
        ("12345/udp", "closed"),
        ("12346-12400/tcp 1-12344/tcp", "closed"),
        ("", "closed"),
        ("x-y/tcp 12345 -/tcp / ²/tcp 1-²/tcp 123456789/tcp", "closed"),
    ],
)
def test_firewalld_is_asked_for_the_port(ports: str, verdict: str) -> None:
    """In the zones that networks are in, with ranges; what it prints otherwise opens nothing."""
    found = one(zones(ports))
    assert found.verdict == verdict
    assert ("--zone=home --add-port=12345/tcp" in found.command) == (verdict == "closed")


@pytest.mark.parametrize("header", [" (active)", " (default, active)"])
def test_both_forms_of_a_zones_header_are_known(header: str) -> None:
    """Newer versions say which zone is the default one."""
    assert [zone.name for zone in active_zones(ZONES.format(ports="", home=header))] == ["home"]


def test_a_zone_without_a_network_is_not_looked_at() -> None:
    """Nor is anything said if there is none."""
    assert firewall_findings(PORT, zones("", home="")) == ()


def test_a_zone_that_accepts_everything_is_open() -> None:
    """Though it lists no port."""
    printed = "trusted (active)\n  target: ACCEPT\n  ports: \n"
    assert one(system(printed={"--list-all-zones": printed})).verdict == "open"


def test_the_zone_that_is_closed_is_named() -> None:
    """A laptop's Wi-Fi may be in another one than its cable."""
    printed = (
        "home (active)\n  target: default\n  ports: 12345/tcp\n\n"
        "public (default, active)\n  target: default\n  ports: \n\n"
        "docker (active)\n  target: ACCEPT\n  ports: \n"
    )
    found = one(system(printed={"--list-all-zones": printed}))
    assert "(firewalld, zone public)" in whole_sentence(found.reason)
    assert found.command.count("--zone=public") == found.command.count("--zone=") == 2


def test_every_closed_zone_is_opened_now_and_for_good() -> None:
    """The computer may be on two networks; others find the chat by mDNS."""
    printed = "a (active)\n  target: default\n  ports: \n\nb (active)\n  target: default\n  ports: "
    found = one(system(printed={"--list-all-zones": printed}))
    steps = found.command.split(" && ")
    assert len(steps) == 4
    assert all("--add-service=mdns" in step for step in steps)
    assert sum("--permanent" in step for step in steps) == 2


@pytest.mark.parametrize(
    ("content", "on"),
    [(UFW % "yes", True), (UFW % "YES", True), (UFW % '"yes"', True), (UFW % "no", False)],
)
def test_ufw_tells_only_whether_it_is_on(content: str, on: bool) -> None:
    """Its rules are root's: so what to do is said, and nothing is claimed."""
    found = firewall_findings(PORT, system(files={"/etc/ufw/ufw.conf": content}))
    assert [(each.verdict, each.command) for each in found] == (
        [("unknown", "sudo ufw allow 12345/tcp")] if on else []
    )


@pytest.mark.parametrize(
    ("rules", "told"),
    [
        (" policy drop;\n\t\ttcp dport 22 accept", True),
        (" policy accept;\n\t\tct state invalid drop", True),
        ("\n\t\tip saddr 192.0.2.0/24 accept\n\t\treject with icmpx admin-prohibited", True),
        (" # policy drop;", False),
        ("", False),
    ],
)
def test_nftables_is_mentioned_if_its_file_drops_something(rules: str, told: bool) -> None:
    """The file that Debian comes with lets everything in, and is no reason for a word."""
    files = {"/etc/nftables.conf": NFTABLES % rules, SERVICE: ""}
    assert bool(firewall_findings(PORT, system(files=files))) == told
    del files[SERVICE]
    assert firewall_findings(PORT, system(files=files)) == ()


APP = r"C:\Program Files\Chat\ChatServer.exe"


def rule(*, action: str = "Allow", app: str = APP, more: str = "Protocol=6|") -> str:
    """A rule for incoming connections as the registry has it."""
    return f"v2.31|Action={action}|Active=TRUE|Dir=In|{more}App={app}|Name=ChatServer|"


def windows(
    *rules: str, profiles: tuple[str, ...] = ("Private",), off: tuple[str, ...] = ()
) -> WindowsFirewall:
    """The settings with these rules."""
    return WindowsFirewall(profiles, dict.fromkeys(off, False), {}, rules)


@pytest.mark.parametrize(
    ("rules", "verdict"),
    [
        ([], "unknown"),
        ([rule()], "open"),
        ([rule(app=APP.upper())], "open"),
        ([rule(more="Protocol=6|Profile=Domain|Profile=Private|")], "open"),
        ([rule(more="Protocol=6|Profile=Public|")], "unknown"),
        ([rule(more="Protocol=17|")], "unknown"),
        ([rule(more="Protocol=6|LPort=12345|")], "open"),
        ([rule(more="Protocol=6|LPort2_10=12000-13000|LPort=80|")], "unknown"),
        ([rule(app=r"C:\Other\ChatServer.exe")], "unknown"),
        ([rule().replace("Active=TRUE", "Active=FALSE")], "unknown"),
        ([rule().replace("Dir=In", "Dir=Out")], "unknown"),
        ([rule(), rule(action="Block")], "closed"),
        ([rule().replace(f"App={APP}|", "LPort=12345|")], "open"),
        ([rule().replace(f"App={APP}|", "LPort=RPC|")], "unknown"),
        ([rule(action="Block").replace(f"App={APP}|", "")], "unknown"),
        (["", "|||", "v2.31", "Action=Allow"], "unknown"),
    ],
)
def test_rules_of_windows(rules: list[str], verdict: str) -> None:
    """Only those that are in force, about this program or port and this kind of network count."""
    assert windows_verdict(windows(*rules), "Private", APP, PORT) == verdict


def test_windows_is_asked_for_the_networks_that_are_connected() -> None:
    """A rule for another kind of network helps nobody, and one that blocks is named as such."""
    blocked = rule(action="Block", more="Protocol=6|Profile=Public|")
    allowed = rule(more="Protocol=6|Profile=Private|")

    def found(profiles: tuple[str, ...], off: tuple[str, ...] = ()) -> Reason:
        settings = windows(allowed, blocked, profiles=profiles, off=off)
        return one(system("win32", windows=settings, executable=APP)).reason

    assert found(("Private",)).code == "firewall_open"
    assert found(("Public",)) == ("firewall_windows_blocked", {"profile": "public", "port": PORT})
    assert found(("Domain", "Private")).params["profile"] == "domain"
    assert found(("Public",), off=("Public",)).code == "firewall_open"
    assert found(()).code == "firewall_open"


@pytest.mark.parametrize(
    ("state", "app", "code"),
    [
        ("Firewall is disabled. (State = 0)", "", None),
        ("Firewall is enabled. (State = 1)", "Incoming connection to the application is permitted",
         "firewall_open"),
        ("Firewall is enabled. (State = 1)", "Incoming connection to the application is blocked",
         "firewall_macos_blocked"),
        ("Firewall is enabled. (State = 1)", "The application is not part of the firewall",
         "firewall_macos"),
        ("Firewall is blocking all non-essential incoming connections. (State = 2)", "",
         "firewall_macos_all"),
    ],
)  # fmt: skip
def test_the_firewall_of_macos(state: str, app: str, code: str | None) -> None:
    """By the program, as it knows no ports."""
    here = system("darwin", printed={"--getglobalstate": state, "/opt/chat/ChatServer": app})
    assert [each.reason.code for each in firewall_findings(PORT, here)] == ([code] if code else [])


@pytest.mark.parametrize("platform", ["linux", "win32", "darwin", "freebsd14"])
def test_nothing_is_said_where_nothing_can_be_read(platform: str) -> None:
    """No firewall, no program that could be asked."""
    assert firewall_findings(PORT, system(platform)) == ()


@given(
    st.sampled_from(["linux", "win32", "darwin"]),
    st.text(max_size=200),
    st.text(max_size=200),
)
def test_whatever_a_system_says_ends_nothing(platform: str, text: str, other: str) -> None:
    """Programs change what they print; a finding is always a sentence."""
    here = System(
        platform, "x", lambda _: text, lambda _: other, lambda _: True, lambda: windows(text, other)
    )
    for found in firewall_findings(PORT, here):
        assert whole_sentence(found.reason)


def every_finding() -> list[Finding]:
    """One of each kind."""
    permitted = {"--getglobalstate": "(State = 1)", "/opt/chat/ChatServer": "is permitted"}
    systems = [
        zones(""), zones("12345/tcp"), system(files={"/etc/ufw/ufw.conf": UFW % "yes"}),
        system(files={"/etc/nftables.conf": NFTABLES % " policy drop;", SERVICE: ""}),
        system("win32", windows=windows()),
        system("win32", windows=windows(rule(action="Block")), executable=APP),
        system("darwin", printed=permitted),
        system("darwin", printed={"--getglobalstate": "(State = 1)"}),
        system("darwin", printed={"--getglobalstate": "(State = 2)"}),
        system("darwin", printed={**permitted, "/opt/chat/ChatServer": "is blocked"}),
    ]  # fmt: skip
    return [one(each) for each in systems]


@pytest.mark.parametrize("found", every_finding(), ids=lambda found: str(found.reason.code))
def test_each_finding_is_a_sentence_with_its_parts(found: Finding) -> None:
    """What a person reads has no code and no gap, and names a step unless the port is open."""
    said = whole_sentence(found.reason)
    assert "…" not in said
    assert found.reason.code not in said
    assert not [part for part in Formatter().parse(said) if part[1]]
    if found.verdict != "open":
        assert found.command or any(word in said for word in ("llow", "Change"))


def test_this_system_is_asked_without_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    """With its real programs, and with none to be found."""
    assert all(whole_sentence(each.reason) for each in firewall_findings(PORT))
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr("chat_server.reachability._SYSTEM_PATH", "")
    assert all(whole_sentence(each.reason) for each in firewall_findings(PORT))
