"""What this computer's firewall says about whether others can connect, asked without privileges.

A server can't check its own reachability: connecting to its own address never passes the rules for
packets that arrive. What can be read is whether a firewall is on, and with most of them whether it
lets this program's port through. Each finding names the step that opens the port.

Nothing here changes a setting, and nothing is sent to the network. The probes run programs of the
system, which may take a second each: `chat_server/firewall_watch.py` has a thread for them.
"""

from __future__ import annotations

import logging
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, NamedTuple

from common.domain.reasons import Reason

log = logging.getLogger(__name__)

Verdict = Literal["open", "closed", "unknown"]
"""Whether the port is open, by the firewall's own settings; `unknown` where they can't be read."""
_PATIENCE: Final = 5.0
"""Seconds for which a program of the system may run."""
_UFW: Final = "/etc/ufw/ufw.conf"
_NFTABLES: Final = "/etc/nftables.conf"
_PORTS: Final = re.compile(r"([0-9]{1,5})(?:-([0-9]{1,5}))?")
_SYSTEM_PATH: Final = "/usr/sbin:/usr/bin:/sbin:/bin"
"""Where firewalls' programs are: a desktop's PATH often lacks the folders of administration."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What one firewall says. `command` opens the port, run in a terminal; "" if there is none."""

    reason: Reason
    verdict: Verdict
    command: str = ""


class System(NamedTuple):
    """What the probes ask of the operating system; tests hand in another one.

    `run(arguments)` returns what a program printed, None if there is none or it failed.
    `read(path)` returns a file's text, None if it can't be read. `exists(path)` is about a file.
    """

    platform: str
    executable: str
    run: Callable[[tuple[str, ...]], str | None]
    read: Callable[[str], str | None]
    exists: Callable[[str], bool]
    registry: Callable[[], WindowsFirewall | None] = lambda: None


@dataclass(frozen=True, slots=True)
class WindowsFirewall:
    """The settings of the firewall of Windows.

    `profiles` are those of the networks that are connected ("Domain", "Private", "Public").
    `enabled` and `default_allow` tell by profile whether it is on and lets in whatever no rule is
    about. `rules` are the texts of all rules, as the registry has them.
    """

    profiles: tuple[str, ...]
    enabled: Mapping[str, bool]
    default_allow: Mapping[str, bool]
    rules: tuple[str, ...]


def firewall_findings(port: int, system: System | None = None) -> tuple[Finding, ...]:
    """What the firewalls of this computer say about TCP port `port`, none where there is none.

    Takes up to a few seconds; never raises for what the system answers.
    """
    here = this_system() if system is None else system
    probes: Mapping[str, tuple[Callable[[int, System], Finding | None], ...]] = {
        "linux": (_firewalld, _ufw, _nftables),
        "win32": (_windows,),
        "darwin": (_macos,),
    }
    found = [probe(port, here) for probe in probes.get(here.platform, ())]
    return tuple(each for each in found if each is not None)


def this_system() -> System:
    """The operating system that this program runs on."""
    return System(sys.platform, sys.executable, _run, _read, os.path.exists, _windows_firewall)


# Linux


def _firewalld(port: int, system: System) -> Finding | None:
    """Ask firewalld, whose settings everybody may read (polkit allows `info` to all)."""
    printed = system.run(("firewall-cmd", "--list-all-zones"))
    if printed is None:
        return None  # not installed, or it does not run
    zones = list(active_zones(printed))
    if not zones:
        return None
    closed = [zone.name for zone in zones if not zone.lets_in(port)]
    if not closed:
        return Finding(Reason("firewall_open", {"firewall": "firewalld", "port": port}), "open")
    # For now and after the next start, in the zones that the networks are in; mDNS, too, by which
    # others find the chat.
    command = " && ".join(
        f"sudo firewall-cmd {when}--zone={zone} --add-port={port}/tcp --add-service=mdns"
        for zone in closed
        for when in ("", "--permanent ")
    )
    # By name: one may be that of a network which no guest is on.
    which = f"firewalld, zone {', '.join(closed)}"
    return Finding(Reason("firewall_closed", {"firewall": which, "port": port}), "closed", command)


class Zone(NamedTuple):
    """A zone of firewalld: what it lets in."""

    name: str
    target: str
    ports: str

    def lets_in(self, port: int) -> bool:
        """Whether TCP connections to a port pass."""
        if self.target == "ACCEPT":
            return True
        ports = (each.partition("/") for each in self.ports.split())
        return any(kind == "tcp" and _has_port(numbers, port) for numbers, _, kind in ports)


def _has_port(ports: str, port: int) -> bool:
    """Whether a port is the one or in the range that a text names, such as `80` or `1025-65535`."""
    found = _PORTS.fullmatch(ports)
    return found is not None and int(found[1]) <= port <= int(found[2] or found[1])


def active_zones(printed: str) -> Iterable[Zone]:
    """The zones with networks in them, of what `firewall-cmd --list-all-zones` printed."""
    for block in re.split(r"\n(?=\S)", printed):
        head, *lines = block.strip().splitlines() or [""]
        name, _, attributes = head.partition(" ")
        if "active" not in attributes:
            continue
        fields = dict(line.strip().partition(": ")[::2] for line in lines if ":" in line)
        # An empty list is printed as "ports: ", which loses its space when stripped.
        yield Zone(name, fields.get("target", ""), fields.get("ports", ""))


def _ufw(port: int, system: System) -> Finding | None:
    """Whether ufw is on: all that others than root can read of it."""
    content = system.read(_UFW)
    if content is None or not re.search(r"(?mi)^\s*ENABLED\s*=\s*[\"']?yes\b", content):
        return None
    command = f"sudo ufw allow {port}/tcp"
    return Finding(Reason("firewall_on", {"firewall": "ufw", "port": port}), "unknown", command)


def _nftables(port: int, system: System) -> Finding | None:
    """Whether a service loads rules from a file that drop what they don't name."""
    wanted = "/etc/systemd/system/sysinit.target.wants/nftables.service"
    also = "/etc/systemd/system/multi-user.target.wants/nftables.service"
    if not (system.exists(wanted) or system.exists(also)):
        return None
    content = re.sub(r"#.*", "", system.read(_NFTABLES) or "")
    if "hook input" not in content or not re.search(r"policy\s+drop|\b(drop|reject)\b", content):
        return None
    return Finding(
        Reason("firewall_file", {"firewall": "nftables", "port": port, "file": _NFTABLES}),
        "unknown",
    )


# Windows


def _windows(port: int, system: System) -> Finding | None:
    """The rules for this program, by the profiles of the connected networks."""
    settings = system.registry()
    if settings is None:
        return None
    verdicts = {
        profile: windows_verdict(settings, profile, system.executable, port)
        for profile in settings.profiles
        if settings.enabled.get(profile, True)
    }
    closed = [profile for profile, verdict in verdicts.items() if verdict != "open"]
    if not verdicts or not closed:
        return Finding(Reason("firewall_open", {"firewall": "Windows", "port": port}), "open")
    # A rule that blocks is what a click on "Cancel" left when Windows asked.
    blocked = any(verdicts[profile] == "closed" for profile in closed)
    code = "firewall_windows_blocked" if blocked else "firewall_windows"
    return Finding(
        Reason(code, {"profile": closed[0].lower(), "port": port}),
        "closed" if blocked else "unknown",
    )


def windows_verdict(settings: WindowsFirewall, profile: str, executable: str, port: int) -> Verdict:
    """What the rules for incoming TCP say of a program in a profile; blocking goes before allowing.

    `unknown` where no rule is about it: then Windows asks the person, or keeps everybody out.
    """
    actions = {
        rule["action"]
        for rule in map(_windows_rule, settings.rules)
        if _applies(rule, profile, executable, port)
    }
    if "block" in actions:
        return "closed"
    if "allow" in actions or settings.default_allow.get(profile, False):
        return "open"
    return "unknown"


class _Rule(dict[str, str]):
    """The fields of a rule by their names, in lower case; "" for one that it does not have."""

    def __missing__(self, name: str) -> str:
        return ""


def _windows_rule(text: str) -> _Rule:
    """A rule such as `v2.31|Action=Allow|Active=TRUE|Dir=In|Protocol=6|App=PATH|`."""
    rule = _Rule()
    for field in text.split("|"):
        name, found, value = field.partition("=")
        if found:
            name, value = name.lower(), value.lower()
            # Profiles and ports are given several times.
            rule[name] = f"{rule[name]},{value}" if name in rule else value
    return rule


def _applies(rule: _Rule, profile: str, executable: str, port: int) -> bool:
    app, ports = rule["app"], rule["lport"]
    if not app and not ports:
        return False  # of services, and of all programs: what they are for is not this port
    return (
        rule["active"] == "true"
        and rule["dir"] == "in"
        and rule["protocol"] in {"", "6"}
        and (not rule["profile"] or profile.lower() in rule["profile"].split(","))
        and (not app or os.path.expandvars(app).lower() == executable.lower())
        and (not ports or any(_has_port(each, port) for each in ports.split(",")))
    )


_POLICY: Final = r"SYSTEM\CurrentControlSet\Services\SharedAccess\Parameters\FirewallPolicy"
_PROFILE_KEYS: Final = {
    "Domain": "DomainProfile",
    "Private": "StandardProfile",
    "Public": "PublicProfile",
}
_PROFILE_BITS: Final = {1: "Domain", 2: "Private", 4: "Public"}
"""NET_FW_PROFILE_TYPE2, of which `CurrentProfileTypes` has those of the connected networks."""


if sys.platform == "win32":

    def _windows_firewall() -> WindowsFirewall | None:
        """The settings in the registry, which everybody may read."""
        import winreg

        def values(key: str) -> dict[str, object]:
            try:
                with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, rf"{_POLICY}\{key}") as opened:
                    count = winreg.QueryInfoKey(opened)[1]
                    return dict(winreg.EnumValue(opened, at)[:2] for at in range(count))
            except OSError as error:
                log.debug("the firewall's %s can't be read: %s", key, error)
                return {}

        by_profile = {name: values(key) for name, key in _PROFILE_KEYS.items()}
        script = "(New-Object -ComObject HNetCfg.FwPolicy2).CurrentProfileTypes"
        said = _run(("powershell", "-NoProfile", "-NonInteractive", "-Command", script)) or ""
        # Without an answer the strictest: networks are public until somebody says otherwise.
        found = re.fullmatch(r"\s*([0-7])\s*", said)
        bits = int(found[1]) if found is not None else 4
        return WindowsFirewall(
            profiles=tuple(name for bit, name in _PROFILE_BITS.items() if bits & bit),
            enabled={
                name: bool(found.get("EnableFirewall", 1)) for name, found in by_profile.items()
            },
            default_allow={
                name: found.get("DefaultInboundAction") == 0 for name, found in by_profile.items()
            },
            rules=tuple(str(each) for each in values("FirewallRules").values()),
        )

else:

    def _windows_firewall() -> WindowsFirewall | None:
        """There is none."""
        return None


# macOS

_SOCKET_FILTER: Final = "/usr/libexec/ApplicationFirewall/socketfilterfw"


def _macos(port: int, system: System) -> Finding | None:
    """The application firewall, which knows programs and no ports."""
    state = system.run((_SOCKET_FILTER, "--getglobalstate"))
    if state is None or "State = 0" in state:
        return None
    here = {"port": port}
    if "State = 2" in state:
        return Finding(Reason("firewall_macos_all", here), "closed")
    said = (system.run((_SOCKET_FILTER, "--getappblocked", system.executable)) or "").lower()
    if "block" in said and "not block" not in said:
        return Finding(Reason("firewall_macos_blocked", here), "closed")
    if "permit" in said or "allow" in said:
        return Finding(Reason("firewall_open", {"firewall": "macOS", "port": port}), "open")
    return Finding(Reason("firewall_macos", here), "unknown")


# This system


def _run(arguments: tuple[str, ...]) -> str | None:
    """What a program of the system prints, in English; None if it is missing, fails or hangs."""
    environment = {**os.environ, "LC_ALL": "C.UTF-8", "LANGUAGE": "C"}
    if sys.platform == "linux":
        environment["PATH"] = f"{os.environ.get('PATH', '')}:{_SYSTEM_PATH}"
    window = 0x08000000 if sys.platform == "win32" else 0  # CREATE_NO_WINDOW: no console flashes up
    try:
        done = subprocess.run(  # noqa: S603  # programs of the system, with fixed arguments
            arguments,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_PATIENCE,
            check=False,
            creationflags=window,
        )
    except (OSError, subprocess.SubprocessError) as error:
        log.debug("%s can't be asked: %s", arguments[0], error)
        return None
    if done.returncode != 0:
        log.debug("%s ended with status %d", arguments[0], done.returncode)
        return None
    return done.stdout.decode(errors="replace")


def _read(path: str) -> str | None:
    try:
        return Path(path).read_text("utf-8", errors="replace")
    except OSError:
        return None
