// The scenario of `node stranger.mjs play` (see stranger.mjs): what the protocol says, tried on a real server, and on a
// server of this file that speaks as a newer one might.

import { createHash, createHmac, randomBytes } from 'node:crypto';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { Client, Connection, FrameReader, Refused, WrongServer, frame, newCid, parseInvite } from './stranger.mjs';

const sleep = ms => new Promise(done => setTimeout(done, ms));
const hex = bytes => randomBytes(bytes).toString('hex');
const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);
const numbers = (from, to) => Array.from({ length: to - from + 1 }, (_, i) => from + i);
const refusal = promise => promise.then(reply => ({ accepted: reply }), error => { if (error instanceof Refused) return error; throw error; });

let failed = 0;
const check = (what, ok, seen) => {
  if (!ok) failed++;
  console.log(JSON.stringify({ check: what, ok: Boolean(ok), ...(ok ? {} : { seen: seen ?? null }) }));
};
const refused = async (what, promise, code, more = {}) => {
  const error = await refusal(promise);
  check(what, error.code === code && Object.entries(more).every(([k, v]) => same(error[k], v)), error.accepted ?? error.message);
  return error;
};

export async function play(link, { host: command, falls: mayFall, slow }) {
  const tag = hex(3), folder = fs.mkdtempSync(path.join(os.tmpdir(), 'stranger-')), everybody = [];
  const host = command && (words => new Promise((resolve, reject) => {
    let out = '';
    const child = spawn('sh', ['-c', `${command} ${words}`], { stdio: ['ignore', 'pipe', 'inherit'] });
    child.stdout.on('data', chunk => (out += chunk));
    child.on('exit', status => (status === 0 ? resolve(out) : reject(new Error(`${words}: ${status}`))));
  }));
  const client = (name, options = {}) => {
    const made = new Client(link, { username: name + tag, display_name: name, ...options });
    everybody.push(made);
    return made;
  };
  const raw = (options = {}) => Connection.open(parseInvite(link), options).then(c => { c.got = []; c.onPush = m => c.got.push(m); return c; });
  const opened = async () => { const c = await raw(); await c.request('hello', { protocol: 2, program: 'raw' }); return c; };
  const part = async (name, run) => { try { await run(); } catch (error) { check(name + ' went to its end', false, error.stack); } };
  const ada = client('ada', { presence: true, file: path.join(folder, 'ada'), window: 1 }), bruno = client('bruno', { window: 50 }), clara = client('clara', { presence: true });
  const newcomer = name => ({ secret: parseInvite(link).secret, username: name + tag, display_name: name, token: hex(32), device: 'raw', installation: hex(16) });
  const credentials = ({ state }) => ({ username: state.username, token: state.token, device: state.device, installation: state.installation });
  const later = slow ? timeLimits(raw) : null;

  await part('examples of the page', async () => {
    const example = 'chat://192.168.1.20:12345/join?fp=LXEWQrcmsEQBYnyp-6wy9chTD7GQPMTbAiWHF5IaSIE&secret=AAECAwQFBgcICQoLDA0ODw&name=Home+%26+Garden&also=fd00%3A%3A20&also=127.0.0.1';
    const invite = parseInvite(example);
    check('the invite is read', same([invite.addresses, invite.port, invite.name], [['192.168.1.20', 'fd00::20', '127.0.0.1'], 12345, 'Home & Garden']), invite);
    const page = fs.readFileSync(new URL('../../docs/protocol.md', import.meta.url), 'utf8');
    const vectors = JSON.parse(page.match(/```json pasted\n([^]*?)```/)[1]);
    const read = text => { try { return parseInvite(text); } catch { return null; } };
    const wrong = vectors.filter(([text, found]) => !same(read(text), found === null ? null : read(found)) || (found !== null && !read(found)));
    check('pasted texts are read as on the page', vectors.length >= 10 && wrong.length === 0, wrong);
    const pasted = [`Come in: <${example}>.`, example.replaceAll('&', '&amp;'), `${example.slice(0, 70)}\n  ${example.slice(70)}`, `“${example}”, see you`, `\u200b${example}\u200b!`];
    check('a pasted invite is read', pasted.every(text => same(parseInvite(text), invite)), pasted.map(text => { try { return parseInvite(text).addresses; } catch (e) { return e.message; } }));
    const plain = where => `chat+plaintext://${where}:1/join?secret=AAECAwQFBgcICQoLDA0ODw`;
    check('without TLS only on loopback', parseInvite(plain('[::1]')).plain && (() => { try { parseInvite(plain('10.0.0.1')); } catch { return true; } })());
    check('the frame is as shown', frame('{"type":"ping","id":7}').toString('hex') === '000000174a7b2274797065223a2270696e67222c226964223a377d');
    check('frames in pieces', same([...frame({ a: 1 }), ...frame({ b: 'é' })].flatMap(function (byte) { return this.push(Buffer.from([byte])); }, new FrameReader()), [{ a: 1 }, { b: 'é' }]));
    const proof = proofOf('8f0c1d2e3b4a59687786958493a2b1c0d0e1f2031425364758697a8b9cadbecf', invite.fingerprint, '00112233445566778899aabbccddeeff', 'ada');
    check('the proof is as shown', proof === '2470cdc15ed116dbe55e09c89902bc9bd206c61727541a3502f5de212785abc5', proof);
    check('a cid begins with the time', same(Buffer.from('AZt22qhkHu_-ZP_t', 'base64url').readUIntBE(0, 6) > 1767225000000, true) && /^[\w-]{16}$/.test(newCid()));
  });

  await part('opening', async () => {
    const other = link.replace(/fp=[\w-]{43}/, 'fp=' + randomBytes(32).toString('base64url'));
    check('another certificate is refused', (await Connection.open(parseInvite(other)).catch(error => error)) instanceof WrongServer);
    const c = await raw();
    await refused('nothing before hello', c.request('ping'), 'out_of_order', { params: { phase: 'greeting' }, retryable: false });
    await refused('too old', c.request('hello', { protocol: 1, program: 'raw' }), 'version', { field: 'protocol', retryable: false, suggestion: null });
    const welcome = await c.request('hello', { protocol: 9, program: 'raw', capabilities: ['presence', 'x.y-z_1'], mood: { fine: true } });
    check('hello may be newer', welcome.protocol === 2 && welcome.capabilities.includes('presence'), welcome);
    check('the server tells its time', Math.abs(welcome.time - Date.now()) < 60000, welcome.time);
    check('ping before signing in', (await c.request('ping')).type === 'pong');
    await refused('hello only once', c.request('hello', { protocol: 2, program: 'raw' }), 'out_of_order', { params: { phase: 'identifying' } });
    await refused('no send before signing in', c.request('send', { room: 'general', cid: newCid(), kind: 'message', body: { text: 'x' } }), 'out_of_order');
    c.close();
  });

  await part('getting in', async () => {
    await ada.start(); await bruno.start(); await clara.start();
    check('the own role is told', [ada, bruno, clara].every(c => c.role === 'member'), ada.role);
    check('joined and signed in', ada.ready && bruno.ready && ada.state.username === 'ada' + tag && /^[0-9a-f]{32}$/.test(ada.state.session));
    check('the state is for its owner alone', (fs.statSync(ada.file).mode & 0o777) === 0o600);
    check('a new account is told to others', ada.pushes.some(m => m.type === 'person' && m.person.username === bruno.state.username) && !bruno.pushes.some(m => m.type === 'person' && m.person.username === bruno.state.username));
    const c = await opened(), dora = newcomer('dora');
    const again = { ...newcomer('x'), username: ('ADA' + tag).toUpperCase() };
    const taken = await refused('a name that is taken', c.request('join', again), 'name_taken', { field: 'username' });
    check('a free name is suggested', typeof taken.params.suggestion === 'string', taken.params);
    await refused('a name that looks the same', c.request('join', { ...newcomer('x'), username: 'bruno'.replace('o', '0') + tag }), 'name_alike', { field: 'username' });
    await refused('a reserved name', c.request('join', { ...newcomer('x'), username: 'moderator' }), 'name_refused', { field: 'username' });
    await refused('a display name with signs', c.request('join', { ...newcomer('y'), display_name: 'Ada (you)' }), 'name_refused', { field: 'display_name' });
    await refused('a wrong secret', c.request('join', { ...newcomer('z'), secret: 'A'.repeat(22) }), 'bad_secret', { field: 'secret' });
    await refused('the token of another', c.request('join', { ...newcomer('y'), token: ada.state.token }), 'not_recognized', { field: 'token' });
    await refused('a wrong token', c.request('sign_in', { ...credentials(ada), token: hex(32) }), 'not_recognized');
    c.close();
    const d = await opened(), first = await d.request('join', { ...dora, display_name: 'Dora   D' });
    check('a display name is cleaned', first.display_name === 'Dora D' && first.mute === null, first);
    d.close();
    const e = await opened(), second = await e.request('join', { ...dora, display_name: 'Other', secret: 'A'.repeat(22) });
    check('join again gets in again', second.username === first.username && second.display_name === 'Dora D' && second.session !== first.session, second);
    await refused('no join when signed in', e.request('join', dora), 'out_of_order', { params: { phase: 'ready' } });
    e.close();
    const f = await opened(), nonce = hex(16), { secret, fingerprint } = parseInvite(link);
    const { proofs } = await f.request('recognize', { secret, username: ada.state.username, nonce });
    check('the server proves that it knows a device', proofs.includes(proofOf(ada.state.token, fingerprint, nonce, ada.state.username)), proofs);
    check('and not one that is none', same((await f.request('recognize', { secret, username: 'nobody' + tag, nonce })).proofs, []));
    await refused('and asks for the secret', f.request('recognize', { secret: 'A'.repeat(22), username: 'a', nonce }), 'bad_secret');
    f.close();
  });

  if (![ada, bruno, clara].every(c => c.ready)) {
    for (const one of everybody) await one.stop();
    return false; // nothing else can be tried
  }

  await part('people and rooms', async () => {
    check('everyone is known', [ada, bruno, clara].every(c => c.state.people[ada.state.username]?.display_name === 'ada' || c.state.people[ada.state.username]));
    await ada.until(() => ada.state.people['dora' + tag], 'dora'); // told a moment after the answer to her `join`
    const known = await ada.ask('list_people', { since: ada.state.change });
    check('nobody changed since', same([known.people, known.since, known.more], [[], ada.state.change, false]), known);
    check('an unknown number begins with all', (await ada.ask('list_people', { since: ada.state.change + 1 })).since === 0);
    const all = await ada.ask('list_people');
    check('people in the order of their changes', all.people.every((p, i) => i === 0 || p.change > all.people[i - 1].change) && all.people.length === Object.keys(ada.state.people).length);
    check('who is online', [ada, bruno, clara].every(c => ada.online.has(c.state.username)), [...ada.online]);
    check('presence only for who named it', ada.pushes.some(m => m.type === 'presence') && !bruno.pushes.some(m => m.type === 'presence'));
    const before = ada.pushes.filter(m => m.type === 'presence').length;
    const second = await opened();
    await second.request('sign_in', credentials(bruno));
    second.close();
    await clara.stop();
    await ada.until(() => !ada.online.has(clara.state.username), 'clara is gone');
    check('a second session is no news', ada.pushes.filter(m => m.type === 'presence').length === before + 1);
    await clara.start();
    await ada.until(() => ada.online.has(clara.state.username), 'clara is back');
    check('presence comes and goes', true);
    check('everyone is in general', same(Object.values(ada.roomFacts).map(r => [r.room, r.kind, r.title]), [['general', 'public', null]]), ada.roomFacts);
  });

  await part('receiving and sending', async () => {
    await refused('a room that is none', ada.send('cellar', 'x'), 'no_such_room', { field: 'room' });
    const synced = await ada.ask('sync', { positions: { cellar: 0, 'dm:a:b': 3, general: 0 } });
    check('rooms are refused one by one', same(synced.refused, { cellar: 'no_such_room', 'dm:a:b': 'no_such_room' }) && synced.heads.general > 0, synced);
    const ack = await ada.send('general', ' One,\n\ttwo \u{1f600} ');
    await bruno.until(() => bruno.events().some(e => e.seq === ack.seq), 'the message');
    check('a text is not changed', bruno.state.rooms.general.events[ack.seq].body.text === ' One,\n\ttwo \u{1f600} ');
    check('a second sync changed nothing', ada.duplicates === 0 && ada.faults.length === 0);
    const twin = new Client(link, { ...credentials(ada), window: 1 });
    everybody.push(twin);
    twin.state.joined = true;
    await twin.start();
    await twin.until(() => twin.state.rooms.general.position >= ack.seq, 'history for the second session');
    const one = await ada.send('general', 'to myself, too');
    await twin.until(() => twin.state.rooms.general.events[one.seq]?.cid === one.cid, 'event for the second session');
    check('the sender gets an ack, the own other session the event', ada.state.rooms.general.events[one.seq].cid === one.cid && ada.duplicates === 0);
    const acks = await Promise.all(numbers(1, 300).map(n => bruno.send('general', 'many ' + n)));
    check('many under way keep their order', acks.every((a, i) => i === 0 || a.seq > acks[i - 1].seq));
    await Promise.all([...numbers(1, 40).map(n => ada.send('general', 'a' + n)), ...numbers(1, 40).map(n => bruno.send('general', 'b' + n)), ...numbers(1, 40).map(n => clara.send('general', 'c' + n))]);
    const head = Math.max(...[ada, bruno, clara].map(c => c.state.rooms.general.position));
    await Promise.all([ada, bruno, clara, twin].map(c => c.until(() => c.state.rooms.general.position === head, 'the head')));
    check('all see the same in the same order', [bruno, clara, twin].every(c => same(c.events().map(e => [e.seq, e.sender, e.cid, e.sent_at, e.body]), ada.events().map(e => [e.seq, e.sender, e.cid, e.sent_at, e.body]))));
    check('with no gap', same(ada.events().map(e => e.seq), numbers(1, head)) && [ada, bruno, clara].every(c => c.faults.length === 0 && c.duplicates === 0));
    await twin.stop();
    // A session of its own, since its answers are not for the client's copies.
    let own = await opened();
    await own.request('sign_in', credentials(ada));
    const resent = await own.request('send', { room: 'general', cid: one.cid, kind: 'message', body: { text: 'to myself, too' }, after: newCid() });
    check('a message sent twice is stored once', same([resent.seq, resent.sent_at], [one.seq, one.sent_at]), resent);
    const say = (text, more = {}) => own.request('send', { room: 'general', cid: newCid(), kind: 'message', body: { text }, ...more });
    await refused('a cid for another text', say('else', { cid: one.cid }), 'cid_reused', { field: 'cid', retryable: false });
    await refused('behind what is not stored', say('x', { after: newCid() }), 'too_early', { field: 'after', retryable: true });
    await refused('too long', say('é'.repeat(8193)), 'too_long', { field: 'body.text' });
    check('as long as it may be', (await say('é'.repeat(8192))).type === 'ack');
    await refused('blank', say(' \n\u2003'), 'malformed', { field: 'body.text' });
    await refused('half a character', say('\ud800'), 'malformed');
    await refused('a kind that is not sent', say('x', { kind: 'join' }), 'unknown_kind', { field: 'kind' });
    own.close(); // bad commands are counted for each connection
    own = await opened();
    await own.request('sign_in', credentials(ada));
    await refused('nobody of this name', say('x', { room: ['dm', ...['nobody' + tag, ada.state.username].sort()].join(':') }), 'no_such_person', { field: 'room' });
    await refused('names not sorted', say('x', { room: `dm:${bruno.state.username}:${ada.state.username}` }), 'no_such_room', { field: 'room' });
    await refused('with oneself', say('x', { room: `dm:${ada.state.username}:${ada.state.username}` }), 'no_such_room');
    own.close();
  });

  const direct = `dm:${ada.state.username}:${bruno.state.username}`;
  await part('a direct conversation', async () => {
    await refused('is none before the first message', bruno.ask('history', { room: direct, count: 1 }), 'no_such_room');
    const ack = await bruno.send(direct, 'just you');
    check('the first message makes the room', ack.seq === 1 && bruno.pushes.at(-1).type === 'room' && bruno.pushes.at(-1).room.kind === 'direct', bruno.pushes.at(-1));
    await ada.until(() => ada.state.rooms[direct]?.position === 1, 'the event');
    await ada.send(direct, 'and you');
    await bruno.until(() => same(bruno.texts(direct), ['just you', 'and you']), 'both');
    check('both see both', same(ada.texts(direct), bruno.texts(direct)));
    await refused('nobody else can', clara.ask('history', { room: direct, count: 1 }), 'no_such_room', { field: 'room' });
    await refused('nor write', clara.ask('send', { room: direct, cid: newCid(), kind: 'message', body: { text: 'x' } }), 'no_such_room');
    check('nor follow', (await clara.ask('sync', { positions: { [direct]: 0 } })).refused[direct] === 'no_such_room');
  });

  await part('history', async () => {
    const { position: head, events } = ada.state.rooms.general;
    const seqs = async more => { const page = await clara.ask('history', { room: 'general', count: 10, ...more }); return [page.events.map(e => e.seq), page.older, page.newer]; };
    const newest = await seqs({});
    check('the newest', newest[0].length === 10 && newest[0].at(-1) >= head && newest[1] && !newest[2], newest);
    check('before a place', same(await seqs({ before: 21 }), [numbers(11, 20), true, true]));
    check('before the first few', same((await seqs({ before: 5 })).slice(1), [false, true]) && same((await seqs({ before: 5 }))[0], numbers(1, 4)));
    check('before the first is nothing', same(await seqs({ before: 1 }), [[], false, true]), await seqs({ before: 1 }));
    check('forwards from the beginning', same(await seqs({ after: 0 }), [numbers(1, 10), false, true]), await seqs({ after: 0 }));
    check('forwards from a place', same(await seqs({ after: 20 }), [numbers(21, 30), true, true]), await seqs({ after: 20 }));
    check('after the last is nothing', same(await seqs({ after: newest[0].at(-1) }), [[], true, false]) && same(await seqs({ after: 2 ** 53 - 1 }), [[], true, false]));
    const forwards = [];
    for (let more = true; more; ) {
      const next = await clara.ask('history', { room: 'general', count: 200, after: forwards.at(-1) ?? 0 });
      forwards.push(...next.events.map(e => e.seq));
      more = next.newer;
    }
    check('pages forwards leave nothing out', same(forwards, numbers(1, newest[0].at(-1))), forwards.length);
    check('far beyond the head', same((await seqs({ before: 2 ** 53 - 1 }))[0], newest[0]), await seqs({ before: 2 ** 53 - 1 }));
    const around = await seqs({ around: 100 }), at = await seqs({ at: events[100].sent_at });
    check('around a place', same(around, [numbers(95, 104), true, true]), around);
    const firstThen = ada.events().find(e => e.sent_at >= events[100].sent_at).seq;
    check('around a time', at[0].includes(firstThen), [firstThen, at]);
    check('after the last time, and before the first', (await seqs({ at: 32503679999999 }))[0].length > 0 && (await seqs({ at: 0 }))[0][0] === 1, [await seqs({ at: 32503679999999 }), await seqs({ at: 0 })]);
    const page = await clara.ask('history', { room: 'general', around: 50, count: 20 });
    check('as in the events', page.upto >= head && page.events.every(e => same([e.cid, e.body, e.sender], [events[e.seq].cid, events[e.seq].body, events[e.seq].sender])));
    await refused('one of four', clara.ask('history', { room: 'general', count: 1, before: 1, after: 1 }), 'malformed');
    await refused('no more than 200', clara.ask('history', { room: 'general', count: 201 }), 'malformed', { field: 'count' });
    const late = client('late', { most: 5 });
    await late.start();
    check('begins at the head where much is missing', same(Object.keys(late.state.rooms.general.events), []) && late.state.rooms.general.position === late.heads.general, late.heads);
    const ack = await late.send('general', 'here now');
    check('and goes on from there', late.state.rooms.general.events[ack.seq].cid === ack.cid && ack.seq === late.heads.general + 1);
    await late.stop();
  });

  await part('coming back', async () => {
    const old = ada.connection, { session } = ada.state;
    const c = await opened();
    const { session: next } = await c.request('sign_in', { ...credentials(ada), resume: session });
    await old.closed;
    await ada.running;
    check('a session that is resumed ends the former', old.goodbye?.code === 'replaced' && ada.away?.code === 'replaced', old.goodbye);
    c.close();
    ada.state.session = next;
    await ada.start();
    const again = new Client(null, { file: ada.file });
    check('all that is needed is in the file', same(again.state, JSON.parse(JSON.stringify(ada.state))));
    const sync = async (positions, last) => { const d = await opened(); await d.request('sign_in', credentials(bruno)); const r = await refusal(d.request('sync', { positions, ...(last ? { last } : {}) })); await sleep(100); d.close(); return { ...(r.accepted ?? r), got: d.got }; };
    const { events, position: head } = bruno.state.rooms.general;
    const right = await sync({ general: head - 2 }, { general: events[head - 2].cid });
    check('goes on after the position', same(right.got.filter(m => m.room === 'general').map(m => m.seq).slice(0, 2), [head - 1, head]), right);
    check('another event there', (await sync({ general: 5 }, { general: newCid() })).refused.general === 'position_ahead');
    check('beyond the head', (await sync({ general: head + 1000 })).refused.general === 'position_ahead');
    const odd = await sync({ general: 0 }, { general: newCid() });
    check('nothing to compare', odd.code === 'malformed' && odd.field === 'last', odd.message);
    // Cut the line again and again while much is under way.
    const texts = numbers(1, 400).map(n => `cut ${tag} ${n}`);
    bruno.shortestPause = 50;
    for (let i = 0; i < 5; i++) {
        const some = Promise.all(texts.slice(80 * i, 80 * (i + 1)).map(text => bruno.send('general', text)));
        await sleep(5 * i);
        bruno.connection.close();
        await bruno.until(() => bruno.ready, 'back');
        await some;
    }
    await ada.until(() => ada.texts().includes(texts.at(-1)), 'the last');
    check('nothing is lost, doubled or out of order when the line breaks', same(ada.texts().filter(t => t.startsWith('cut ' + tag)), texts), ada.texts().filter(t => t.startsWith('cut ' + tag)).length);
    check('it did break', bruno.connections > 3 && bruno.faults.length === 0, bruno.faults.map(String));
  });

  await part('staying alive and bad commands', async () => {
    check('ping', (await ada.ask('ping')).type === 'pong');
    await Promise.all(numbers(1, 200).map(() => clara.ask('ping')));
    check('many commands at once are all answered', clara.connection.unanswered === 0);
    const c = await opened();
    await refused('an unknown field', c.request('ping', { colour: 'red' }), 'malformed', { field: 'colour', params: { why: 'extra_forbidden' } });
    await refused('an unknown type', c.request('dance'), 'unknown_type');
    c.write(frame('{'));
    c.write(frame('{"type":"ping","id":"1"}'));
    while (c.got.length < 2) await sleep(10);
    check('what has no id is answered with none', c.got.every(m => m.type === 'error' && m.code === 'malformed' && m.re === null), c.got);
    c.close();
    const bad = await opened();
    const answers = await Promise.all(numbers(1, 11).map(() => refusal(bad.request('dance'))));
    await bad.closed;
    check('eleven bad commands are too many', answers.every(a => a.code === 'unknown_type') && bad.goodbye?.code === 'violation', bad.goodbye);
    for (const [what, bytes] of [['a frame too long before signing in', Buffer.from([0, 0, 0x10, 1, 0x4a])], ['a frame of no length', Buffer.alloc(5)], ['an unknown kind of frame', frame('x', 0x43)]]) {
      const d = await opened();
      d.write(bytes);
      await d.closed;
      check(what, d.goodbye?.code === 'violation' && d.got.at(-1)?.code === 'malformed' && d.got.at(-1).re === null, [d.goodbye, d.got]);
    }
  });

  if (later) await part('time limits', () => later); // before the server falls
  if (host) {
    await part('moderation', () => moderation({ host, client, opened, newcomer, credentials, ada, bruno, clara, link: () => link, take: next => (link = next) }));
    if (mayFall) await part('a server that falls', () => falls({ host, ada, bruno, clara, client, direct }));
  }
  await part('a server of another age', newerServer);
  for (const one of everybody) await one.stop(); // or all of them would get the much that follows
  if (slow) await part('much at once', () => muchAtOnce({ host, client, opened, newcomer, take: next => (link = next), credentials }));
  for (const one of everybody) await one.stop();
  check('no fault of the server was seen', everybody.every(c => c.faults.length === 0), everybody.flatMap(c => c.faults.map(String)));
  fs.rmSync(folder, { recursive: true });
  return failed === 0;
}

const proofOf = (token, fingerprint, nonce, username) => createHmac('sha256', createHash('sha256').update(Buffer.from(token, 'hex')).digest())
  .update('chat recognize 1\0').update(fingerprint).update(Buffer.from(nonce, 'hex')).update(username).digest('hex');

// A connection that is silent, and one that does not sign in.
async function timeLimits(raw) {
  const began = Date.now(), [c, d] = [await raw({ keepAlive: false }), await raw({ keepAlive: false })];
  const pinging = setInterval(() => d.request('ping').catch(() => {}), 4000);
  await c.request('hello', { protocol: 2, program: 'raw' });
  await d.request('hello', { protocol: 2, program: 'raw' });
  await Promise.all([c.closed, d.closed]);
  clearInterval(pinging);
  const seconds = (Date.now() - began) / 1000;
  check('thirty seconds to sign in, pings or not', seconds > 28 && seconds < 33 && [c, d].every(x => x.goodbye?.code === 'timeout' && x.goodbye.params.why === 'no_sign_in'), [seconds, c.goodbye, d.goodbye]);
}

// More than the server keeps for a connection, and more conversations than one may begin at once.
async function muchAtOnce({ host, client, opened, newcomer, take, credentials }) {
  if (host) take((await host('ctl invite')).match(/chat:\S+/)[0]);
  const fast = await client('fast', { window: 100, most: 0 }).start(), lazy = await opened(), seqs = [];
  const { session } = await lazy.request('sign_in', credentials(fast));
  const head = (await lazy.request('sync', { positions: { general: fast.state.rooms.general.position } })).heads.general;
  lazy.onPush = m => m.type === 'event' && seqs.push(m.seq);
  lazy.hold();
  await Promise.all(numbers(1, 900).map(() => fast.send('general', 'x'.repeat(16000))));
  const own = lazy.request('send', { room: 'general', cid: newCid(), kind: 'message', body: { text: 'from behind' } });
  lazy.go();
  const { seq } = await own;
  while (seqs.at(-1) !== seq && !lazy.isClosed) await sleep(20);
  check('who reads late gets all the same, and the own event', same(seqs, numbers(head + 1, seq)) && /^[0-9a-f]{32}$/.test(session), [head, seq, seqs.length, lazy.goodbye]);
  lazy.close();

  const names = [], add = async () => {
    for (let n; (n = names.length) < 201; ) {
      const who = newcomer(`n${n}x`);
      names.push(who.username);
      const c = await opened();
      await c.request('join', who);
      c.close();
    }
  };
  await Promise.all(numbers(1, 8).map(add));
  const began = Date.now();
  await Promise.all(names.map(name => fast.send('dm:' + [fast.state.username, name].sort().join(':'), 'hello')));
  await fast.until(() => fast.started.size === 202, 'all conversations');
  check('one conversation too many has to wait, and is sent then', Date.now() - began > 3000 && fast.faults.length === 0, Date.now() - began);
  await fast.stop();
  await fast.start();
  check('pages of rooms', fast.started.size === 202, fast.started.size);
  await fast.stop();
}

async function moderation({ host, client, opened, newcomer, credentials, ada, bruno, clara, link, take }) {
  const a = ada.state.username, b = bruno.state.username, c = clara.state.username;
  await refused('a member may not', ada.ask('mute', { username: b }), 'not_allowed');
  await host(`ctl role ${a} moderator`);
  await clara.until(() => clara.state.people[a].role === 'moderator', 'the new role');
  check('everybody is told of a role', clara.state.change === clara.state.people[a].change);
  await refused('what is the host\'s alone', ada.ask('set_role', { username: b, role: 'moderator' }), 'not_allowed');
  await refused('nobody of this name to mute', ada.ask('mute', { username: 'nobody' }), 'no_such_person');
  check('and who has it, too', ada.role === 'moderator' && ada.state.people[a].role === 'moderator', ada.role);
  const changes = clara.pushes.length;
  await host(`ctl role ${a} moderator`);
  await clara.ask('ping');
  check('the same role again is no news', clara.pushes.length === changes, clara.pushes.slice(changes));
  for (const type of ['terminate', 'ban']) await refused(`${type} by a connection is the host's`, ada.ask(type, { connection: 1 }), 'not_allowed', { field: 'connection' });
  for (const type of ['unban', 'unmute']) await refused(`nobody to ${type}`, ada.ask(type, { username: 'nobody' }), 'no_such_person', { field: 'username' });
  await refused('a reason has one line', ada.ask('mute', { username: b, reason: 'two\nlines' }), 'malformed', { field: 'reason' });
  await refused('an end that is over', ada.ask('mute', { username: b, until: Date.now() + ada.clockOffset - 60000 }), 'time_past', { field: 'until' });

  const before = { room: 'general', cid: newCid(), kind: 'message', body: { text: 'before' } };
  const first = await opened();
  await first.request('sign_in', credentials(bruno));
  const said = await first.request('send', before);
  await ada.ask('mute', { username: b, reason: 'Too loud.' });
  await bruno.until(() => bruno.mute, 'muted');
  check('who is muted is told', same(bruno.mute, { until: null, reason: 'Too loud.' }), bruno.mute);
  await refused('and can\'t write', bruno.send('general', 'but'), 'muted', { retryable: false, params: { reason: 'Too loud.' } });
  const repeated = await first.request('send', before);
  check('what was stored before is acknowledged again', same([repeated.seq, repeated.sent_at, repeated.cid], [said.seq, said.sent_at, said.cid]), [said, repeated]);
  await refused('but not with another text', first.request('send', { ...before, body: { text: 'else' } }), 'cid_reused');
  await refused('not in a conversation of two either', first.request('send', { ...before, cid: newCid(), room: `dm:${a}:${b}` }), 'muted');
  first.close();
  const again = await opened();
  check('and is told when signing in', same((await again.request('sign_in', credentials(bruno))).mute, bruno.mute));
  again.close();
  const { sanctions } = await ada.ask('list_sanctions');
  const held = sanctions.find(s => s.username === b);
  check('it is listed', held?.kind === 'mute' && held.by === a && held.reason === 'Too loud.', sanctions);
  await ada.ask('unmute', { username: b });
  await bruno.until(() => bruno.mute === null, 'unmuted');
  check('may write again', (await bruno.send('general', 'quietly')).seq > 0);
  await refused('no mute to lift', ada.ask('unmute', { username: b }), 'no_such_sanction');
  const until = Date.now() + 1500;
  await ada.ask('mute', { username: b, until });
  await bruno.until(() => bruno.mute, 'muted for a moment');
  await sleep(Math.max(0, until - Date.now()) + 700);
  check('a mute ends by itself', (await bruno.send('general', 'again')).seq > 0);

  await ada.ask('terminate', { username: b, reason: 'A pause.' });
  await bruno.running;
  check('who is sent away stays away', bruno.away?.code === 'terminated' && bruno.away.params.reason === 'A pause.', bruno.away);
  await bruno.start();
  check('until the person asks for it', bruno.ready);
  await host(`ctl role ${c} moderator`);
  await ada.until(() => ada.state.people[c].role === 'moderator', 'two moderators');
  await refused('not about another moderator', ada.ask('mute', { username: c }), 'not_allowed');
  await host(`ctl role ${c} member`);

  const end = Date.now() + 3600000, old = link();
  await ada.ask('ban', { username: b, until: end, reason: 'Enough.' });
  await bruno.running;
  check('who is banned is told why and how long', bruno.away?.code === 'banned' && same(bruno.away.params, { reason: 'Enough.', until: end }), bruno.away);
  await bruno.start();
  check('and is not let in', bruno.away instanceof Refused && bruno.away.code === 'banned' && bruno.away.params.until === end, bruno.away?.message);
  const x = await opened();
  await refused('a ban makes a new invite', x.request('join', newcomer('x')), 'bad_secret');
  take((await host('ctl invite')).match(/chat:\S+/)[0]);
  check('with another secret', parseInvite(link()).secret !== parseInvite(old).secret);
  await refused('nor under another name from there', x.request('join', { ...newcomer('hidden'), secret: parseInvite(link()).secret, installation: bruno.state.installation }), 'banned');
  x.close();
  await ada.ask('unban', { username: b });
  await bruno.start();
  check('a ban is lifted', bruno.ready);
  await refused('no ban to lift', ada.ask('unban', { username: b }), 'no_such_sanction');

  await host("ctl rename 'Home, Garden'");
  await clara.until(() => clara.serverName === 'Home, Garden', 'the new name');
  check('the new name of the chat is told', true);
  await host(`ctl ban --reason 'by the host' ${c}`);
  await clara.running;
  check('the host bans', clara.away?.code === 'banned' && clara.away.params.reason === 'by the host', clara.away);
  await host(`ctl unban ${c}`);
  await clara.start();
  await host(`ctl role ${a} member`);
}

async function falls({ host, ada, bruno, clara, client, direct }) {
  // Killed in the middle of sending, three at once, one and many under way.
  const texts = [ada, bruno, clara].map((c, i) => numbers(1, 600).map(n => `fall ${ada.state.token.slice(0, 6)} ${i} ${n}`));
  for (const c of [ada, bruno, clara]) c.shortestPause = 100;
  let acks = 0;
  const all = Promise.all([ada, bruno, clara].flatMap((c, i) => texts[i].map(text => c.send('general', text).then(() => acks++))));
  await sleep(150);
  const atCrash = acks;
  await host('crash');
  await Promise.all([ada, bruno, clara].map(c => c.until(() => c.ready, 'back', 40000)));
  await sleep(200);
  await host('crash');
  await all;
  check('the server fell in the middle', atCrash > 0 && atCrash < 1800, atCrash);
  const head = Math.max(...[ada, bruno, clara].map(c => c.state.rooms.general.position));
  await Promise.all([ada, bruno, clara].map(c => c.until(() => c.state.rooms.general.position === head, 'the head')));
  check('nothing is lost, doubled or out of order', texts.every((t, i) => [ada, bruno, clara].every(c => same(c.texts().filter(x => x.startsWith(`fall ${ada.state.token.slice(0, 6)} ${i} `)), t))));
  check('all have the same', [bruno, clara].every(c => same(c.events().map(e => [e.seq, e.cid]), ada.events().map(e => [e.seq, e.cid]))));
  check('nothing is left to send', [ada, bruno, clara].every(c => c.state.outbox.length === 0));

  // Its data set back to a copy: the same epoch, other events.
  await host('backup');
  await Promise.all([ada, bruno, clara].map(c => c.until(() => c.ready, 'back', 40000)));
  const copied = ada.state.rooms.general.position;
  for (let n = 1; n <= 5; n++) await ada.send('general', 'will be gone ' + n);
  await bruno.send(direct, 'will be gone');
  await bruno.until(() => bruno.state.rooms.general.position === copied + 5, 'what will be gone');
  const newer = client('newer');
  newer.state.link = (await host('ctl invite')).match(/chat:\S+/)[0];
  await newer.start();
  await newer.stop();
  await ada.stop();
  await host('restore');
  await Promise.all([bruno, clara].map(c => c.until(() => c.ready && c.state.rooms.general.position === copied, 'back, and what is left', 40000)));
  check('a room that was set back is fetched anew', bruno.resets.has('general') && bruno.state.rooms.general.position === copied && bruno.events().length === copied, [...bruno.resets, bruno.state.rooms.general.position, copied]);
  check('so are the people', !bruno.state.people[newer.state.username], Object.keys(bruno.state.people));
  // Ada comes when the log is longer again than what she has, and different.
  for (let n = 1; n <= 9; n++) await clara.send('general', 'instead ' + n);
  await ada.start();
  await ada.until(() => ada.state.rooms.general.position === copied + 9, 'what is there instead');
  check('also where it has grown past the position', ada.resets.has('general') && same(ada.events().map(e => e.cid), clara.events().map(e => e.cid)));
  const away = ada.connections;
  await host('stop');
  await ada.until(() => !ada.ready, 'the end');
  check('a server that closes says so', ada.connection.goodbye?.code === 'server_closing', ada.connection.goodbye);
  await host('start');
  await ada.until(() => ada.ready, 'back', 40000);
  check('and its clients come back by themselves', ada.connections > away);
  newer.state.session = null;
  await newer.start();
  check('an account that was set back is not known', newer.away?.code === 'not_recognized', newer.away?.message);
}

// What a newer server may say to any client, and what none may say. It speaks without TLS on loopback.
async function newerServer() {
  const plan = { epoch: 'e'.repeat(32), log: [], head: 0, sent: [], hellos: 0, syncs: [], extra: [] };
  const event = (seq, kind, body, more = {}) => ({ type: 'event', room: 'general', seq, kind, sender: 'bruno', sent_at: 1, cid: 'AZt22qhkHu_-ZP' + String(seq).padStart(2, '0'), body, ...more });
  plan.log = [event(1, 'join', {}), event(2, 'sticker', { picture: 7 }), event(3, 'message', { text: 5 }), event(4, 'message', { text: 'hi', bold: true }, { mood: 'fine' })];
  const answers = {
    hello: () => ({ type: 'welcome', protocol: 2, capabilities: ['presence', 'telepathy'], program: 'Newer 9', server_name: 'Later', epoch: plan.epoch, time: 1, mood: 'fine' }),
    join: () => ({ type: 'signed_in', username: 'ada', display_name: 'Ada', session: 'a'.repeat(32), role: 'emperor', mute: null, badge: 3 }),
    sign_in: m => ({ ...answers.join(), resumed: m.resume }),
    list_people: m => ({ type: 'people', since: m.since, people: [{ username: 'bruno', display_name: 'Bruno', role: 'emperor', change: 7, hat: 1 }].filter(p => p.change > m.since), more: false }),
    list_online: () => ({ type: 'online', online: ['ada'], more: false }),
    list_rooms: () => ({ type: 'rooms', rooms: [{ room: 'general', kind: 'public', title: null, head: plan.log.length }, { room: 'stage', kind: 'theatre', title: 'The stage', head: 0 }, { room: 'vault', kind: 'secret', title: null, head: 4 }], more: false }),
    ping: () => ({ type: 'pong' }),
  };
  const server = net.createServer(socket => {
    const reader = new FrameReader(), say = message => socket.write(frame(message));
    plan.say = say;
    socket.on('error', () => {}).on('data', chunk => reader.push(chunk).forEach(m => {
      if (m.type === 'sync') {
        plan.syncs.push(m);
        const refused = {}, heads = {};
        for (const [room, at] of Object.entries(m.positions)) room === 'vault' ? (refused[room] = 'locked_away') : at > 0 && plan.setBack ? (refused[room] = 'position_ahead') : (heads[room] = room === 'general' ? plan.log.length : 0);
        say({ type: 'synced', re: m.id, heads, skipped: [], refused });
        if (heads.general !== undefined) plan.log.slice(m.positions.general).forEach(e => say(e));
      } else if (m.type === 'send') {
        plan.sent.push([m.cid, Date.now()]);
        say(plan.trouble ? { type: 'error', re: m.id, code: 'moon_is_full', params: {}, field: null, retryable: true, retry_after: 900 } : { type: 'ack', re: m.id, room: m.room, seq: plan.log.push(event(plan.log.length + 1, 'message', m.body, { sender: 'ada', cid: m.cid })), cid: m.cid, sent_at: 2 });
        plan.trouble = false;
      } else say({ ...answers[m.type](m), re: m.id });
    }));
  });
  await new Promise(done => server.listen(0, '127.0.0.1', done));
  const ada = new Client(`chat+plaintext://127.0.0.1:${server.address().port}/join?secret=AAECAwQFBgcICQoLDA0ODw`, { username: 'ada', shortestPause: 30 });
  try {
    await ada.start();
    await ada.until(() => ada.state.rooms.general.position === 4, 'four events');
    check('unknown kinds and bodies take their places, whole', same(ada.events().map(e => [e.kind, e.body]), plan.log.map(e => [e.kind, e.body])));
    check('a room of an unknown kind is followed, one refused is not', ada.started.has('stage') && ada.refused.vault === 'locked_away' && ada.roomFacts.stage.title === 'The stage');
    plan.say({ type: 'weather', sun: true });
    plan.say({ type: 'person', person: { username: 'bruno', display_name: 'B.', role: 'emperor', change: 8 }, why: 'x' });
    plan.say({ type: 'presence', username: 'bruno', online: true });
    await ada.until(() => ada.state.people.bruno.display_name === 'B.', 'what follows an unknown push');
    check('unknown pushes and fields are passed over', ada.faults.length === 0 && ada.connections === 1 && ada.state.change === 8);
    plan.trouble = true;
    await ada.send('general', 'in spite of the moon');
    check('an unknown code is retried as it says, with the same cid', plan.sent.length === 2 && plan.sent[0][0] === plan.sent[1][0] && plan.sent[1][1] - plan.sent[0][1] >= 900, plan.sent);

    plan.say(event(3, 'message', { text: 'once more' }));
    plan.say(event(9, 'message', { text: 'a gap' }));
    await ada.until(() => ada.connections === 2 && ada.ready, 'a new connection after a gap');
    check('what is there is dropped, a gap ends the connection', ada.duplicates === 1 && ada.state.rooms.general.position === 5 && plan.syncs.at(-1).last.general === plan.log[4].cid, plan.syncs.at(-1));
    for (const [what, message] of [['a known field of another form', { type: 'presence', username: 'bruno', online: 'yes' }], ['a missing field', { type: 'presence', username: 'bruno' }], ['an answer to nothing', { type: 'pong', re: 99999 }]]) {
      const faults = ada.faults.length;
      plan.say(message);
      await ada.until(() => ada.faults.length === faults + 1 && ada.ready, 'a new connection after ' + what);
      check(`${what} ends the connection`, true);
    }

    plan.setBack = true;
    ada.state.outbox.push({ room: 'general', cid: newCid(), text: 'marked', seq: 6 });
    ada.connection.close();
    await ada.until(() => ada.ready && ada.resets.has('general'), 'a room set back');
    await ada.until(() => plan.log.length === 6 && ada.state.outbox.length === 0, 'what was marked is sent again');
    check('a room that was set back is begun anew, what was marked is sent again', same(ada.events().map(e => e.seq), numbers(1, 6)));
    plan.setBack = false;
    Object.assign(plan, { epoch: 'f'.repeat(32), log: plan.log.slice(0, 2) });
    ada.connection.close();
    await ada.until(() => ada.ready && ada.state.epoch === plan.epoch && ada.state.rooms.general.position === 2, 'another epoch');
    check('another epoch begins anew', same(plan.syncs.at(-1).positions.general, 0) && plan.syncs.at(-1).last === undefined);
    plan.say({ type: 'goodbye', code: 'gone_fishing', params: { fish: 3 }, retry_after: 5 });
    await ada.running;
    check('after an unknown goodbye it stays away', ada.away?.code === 'gone_fishing');
  } finally {
    await ada.stop();
    server.close();
  }
}
