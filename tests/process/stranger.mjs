// A client for the Chat protocol, version 2, written from protocol.md alone, with nothing but Node.
//
//   node stranger.mjs play LINK [--host CMD] [--falls] [--slow]
//
// plays a scenario against the server of LINK, prints one JSON line for each behaviour that it
// checked, and exits with 0 when all were as the protocol says, else with 1. It joins with names of
// its own, so a server may be played with more than once. CMD is a command line to which words are
// added: "ctl VERB ..." is the host's command line. What needs the host is left out without it. With
// --falls the server is also killed, stopped and set back: CMD then knows "crash" (kill it and start
// it again on the same folder and port), "backup" and "restore" (copy its data, and put the copy
// back), "stop" and "start". --slow also waits for the time limits, and sends very much.

import { createHash, randomBytes } from 'node:crypto';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import tls from 'node:tls';
import { pathToFileURL } from 'node:url';

const sleep = ms => new Promise(done => setTimeout(done, ms));
const sha256 = bytes => createHash('sha256').update(bytes).digest();
const hex = bytes => randomBytes(bytes).toString('hex');

// ---------------------------------------------------------------- the invite (section 2)

// A whole link, or null.
function readLink(link) {
  const url = URL.canParse(link) ? new URL(link) : null;
  const query = url?.searchParams, plain = url?.protocol === 'chat+plaintext:';
  if (!url || !['chat:', 'chat+plaintext:'].includes(url.protocol) || !url.port || url.pathname !== '/join' || link.length > 4096) return null;
  if (!/^[\w-]{22}$/.test(query.get('secret') ?? '') || (!plain && !/^[\w-]{43}$/.test(query.get('fp') ?? ''))) return null;
  const addresses = [url.hostname.replace(/^\[|\]$/g, ''), ...query.getAll('also')].slice(0, 16);
  return { plain, addresses, port: Number(url.port), secret: query.get('secret'), name: query.get('name') || addresses[0],
    fingerprint: plain ? null : Buffer.from(query.get('fp'), 'base64url') };
}

// Takes an invite out of what a person pasted, in the steps of the page.
export function parseInvite(pasted) {
  let text = pasted.replace(/[\p{Cf}\u034f\u115f\u1160\u3164\uffa0\ufe00-\ufe0f\x00-\x08\x0e-\x1f\x7f]/gu, '')
    .replace(/[\u2010\u2011\u2212]/g, '-').replace(/[\u2013\u2014]/g, '--');
  const joined = text.replace(/=\r?\n/g, '');
  if (/fp=3D[\w-]{43}(?![\w-])/.test(joined)) text = joined.replace(/=([0-9A-F]{2})/g, (_, octet) => String.fromCharCode(parseInt(octet, 16)));
  text = text.replace(/&(lt|gt|quot|apos|nbsp|#34|#39|#60|#62|#160);/gi, ' ');
  text = text.replace(/chat(?:(?:\+|%(?:25)*2B)plaintext)?%(?:25)*3A%(?:25)*2F%(?:25)*2F[^\s&<>"]*/gi, link => {
    for (let n = 0; n < 4 && !/^chat(\+plaintext)?:\/\//i.test(link); n++) link = decodeURIComponent(link);
    return link;
  });
  const starts = [...text.matchAll(/chat(\+plaintext)?:\/\//gi)].map(m => m.index), found = new Map();
  for (const [n, start] of starts.entries()) {
    // Behind a line's end stand the signs that quote the next one; a line begins with a newline here.
    const pieces = text.slice(start, starts[n + 1]).replace(/\n[\s>|]*/g, ' \n').split(/[ \t\r\f\v]+/), before = text.slice(0, start);
    const trimmed = link => {
      link = link.replace(/&(amp|#38|#x26);/gi, '&');
      for (let shorter = null, quote = before; shorter !== link; ) {
        shorter = link;
        link = link.replace(/[.,;:!?'*()[\]$@#]+$/, '');
        if (/[_~*]$/.test(link) && quote.endsWith(link.at(-1))) [link, quote] = [link.slice(0, -1), quote.slice(0, -1)];
      }
      return link;
    };
    let link = '', invite = null;
    for (const piece of pieces) {
      const last = link.slice(link.lastIndexOf('&') + 1);
      const goesOn = /^\n?&/.test(piece) || (piece.startsWith('\n') && (!last.includes('=') || last.endsWith('=') || /%.?$/.test(last)));
      if (invite && !goesOn) break;
      const part = piece.replace(/^\n/, '').match(/^[\p{L}\p{M}\p{N}\p{Pc}%&=+./:?#[\]@!$'()*,;~-]*/u)[0];
      link += closed(part);
      invite = readLink(trimmed(link));
      if (closed(part).length < piece.replace(/^\n/, '').length) break;
    }
    if (invite) found.set(JSON.stringify(invite), invite);
  }
  if (!found.size) throw new Error('no whole invite in it');
  if (found.size > 1) throw new Error('different invites in it');
  const [invite] = found.values();
  if (invite.plain && !invite.addresses.every(isLoopback)) throw new Error('no encryption and not on this computer');
  return invite;
}

// What stands before a bracket that was opened before the link.
function closed(part) {
  const depth = { ')': 0, ']': 0 };
  for (const [at, sign] of [...part].entries()) {
    if ('(['.includes(sign)) depth[sign === '(' ? ')' : ']']++;
    else if (sign in depth && --depth[sign] < 0) return [...part].slice(0, at).join('');
  }
  return part;
}

const isLoopback = address => /^127\.\d+\.\d+\.\d+$/.test(address) || address === '::1' || address === 'localhost';

// IPv4 and IPv6 in turn; a link-local IPv6 address is tried on every interface of this computer.
function addressesToTry(invite) {
  const zones = Object.keys(os.networkInterfaces());
  const all = invite.addresses.flatMap(a => (/^fe[89ab][0-9a-f]:/i.test(a) ? zones.map(zone => `${a}%${zone}`) : [a]));
  const six = all.filter(a => net.isIPv6(a)), four = all.filter(a => !net.isIPv6(a)), mixed = [];
  let takeSix = all.length > 0 && net.isIPv6(all[0]);
  for (; six.length || four.length; takeSix = !takeSix) mixed.push(...(takeSix ? six : four).splice(0, 1));
  return mixed;
}

// ---------------------------------------------------------------- frames (section 3)

const LARGEST = 114688;

export function frame(body, kind = 0x4a) {
  const bytes = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  const head = Buffer.alloc(5);
  head.writeUInt32BE(bytes.length + 1);
  head[4] = kind;
  return Buffer.concat([head, bytes]);
}

export class FrameReader {
  #parts = []; #size = 0; #wanted = 4;
  // Returns the messages that are whole with this chunk; throws where a client has to hang up.
  push(chunk) {
    this.#parts.push(chunk);
    if ((this.#size += chunk.length) < this.#wanted) return [];
    let bytes = Buffer.concat(this.#parts);
    const messages = [];
    for (this.#wanted = 4; bytes.length >= 4; bytes = bytes.subarray(this.#wanted), this.#wanted = 4) {
      const length = bytes.readUInt32BE();
      if (length < 1 || length > LARGEST) throw new Error('a frame of length ' + length);
      if (bytes.length > 4 && bytes[4] !== 0x4a) throw new Error('a frame of kind ' + bytes[4]);
      this.#wanted = 4 + length;
      if (bytes.length < this.#wanted) break;
      messages.push(JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes.subarray(5, this.#wanted))));
    }
    this.#parts = [bytes];
    this.#size = bytes.length;
    return messages;
  }
}

// ---------------------------------------------------------------- forms (section 4 and the tables of the messages)

const integer = (least, most = Number.MAX_SAFE_INTEGER) => v => Number.isSafeInteger(v) && v >= least && v <= most;
const string = most => v => typeof v === 'string' && [...v].length <= most;
const match = pattern => v => typeof v === 'string' && pattern.test(v);
const isObject = v => typeof v === 'object' && v !== null && !Array.isArray(v);
const orNull = form => v => v === null || form(v);
const listOf = (form, most) => v => Array.isArray(v) && v.length <= most && v.every(form);
const mapOf = (key, form, most) => v => isObject(v) && Object.keys(v).length <= most && Object.entries(v).every(([k, x]) => key(k) && form(x));
const fields = forms => v => isObject(v) && Object.entries(forms).every(([name, form]) => Object.hasOwn(v, name) && form(v[name]));
const boolean = v => typeof v === 'boolean';
const id = integer(1), position = integer(0), time = integer(0, 32503679999999), wait = integer(0, 86400000);
const username = match(/^[a-z0-9][a-z0-9._-]{0,31}$/), cid = match(/^[\w-]{16}$/), code = match(/^[a-z][a-z0-9_]{0,31}$/);
const isRoom = v => string(80)(v) && /^([a-z0-9][a-z0-9._-]{0,31}|dm:[a-z0-9][a-z0-9._-]{0,31}:[a-z0-9][a-z0-9._-]{0,31})$/.test(v);
const line = most => v => string(most)(v) && /^[^\x00-\x1f\x7f-\x9f\u2028\u2029]+$/.test(v);
const hex32 = match(/^[0-9a-f]{32}$/), hex64 = match(/^[0-9a-f]{64}$/);
const past = { seq: id, kind: code, sender: username, sent_at: time, cid, body: isObject };
const person = fields({ username, display_name: line(64), role: code, change: position });
const roomFacts = fields({ room: isRoom, kind: code, title: orNull(line(64)), head: position });
const words = v => string(500)(v) && !/[\x00-\x1f\x7f-\x9f\u2028\u2029]/.test(v);
const mute = orNull(fields({ until: orNull(time), reason: words }));
const params = mapOf(code, v => string(500)(v) || integer(-Number.MAX_SAFE_INTEGER)(v), 16);

const FORMS = {
  welcome: { protocol: integer(1, 65535), capabilities: listOf(match(/^[a-z0-9_.-]{1,32}$/), 32), program: line(64), server_name: line(64), epoch: hex32, time },
  recognized: { proofs: listOf(hex64, 64) },
  signed_in: { username, display_name: line(64), session: hex32, role: code, mute },
  people: { since: position, people: listOf(person, 1000), more: boolean },
  person: { person }, muted: { mute }, server: { server_name: line(64) }, room: { room: roomFacts }, pong: {}, done: { note: orNull(code) },
  online: { online: listOf(username, 1000), more: boolean },
  presence: { username, online: boolean },
  rooms: { rooms: listOf(roomFacts, 100), more: boolean },
  synced: { heads: mapOf(isRoom, position, 256), skipped: listOf(isRoom, 256), refused: mapOf(isRoom, code, 256) },
  event: { room: isRoom, ...past },
  history: { room: isRoom, events: listOf(fields(past), 200), upto: position, older: boolean, newer: boolean },
  ack: { room: isRoom, seq: id, cid, sent_at: time },
  invite: { link: string(4096) },
  sanctions: { sanctions: listOf(fields({ number: id, kind: code, username: orNull(username), device: orNull(line(64)), until: orNull(time), reason: words, by: string(32), at: time }), 30), more: boolean },
  error: { code, params, field: orNull(string(100)), retryable: boolean, retry_after: orNull(wait) },
  goodbye: { code, params, retry_after: orNull(wait) },
};
const ANSWER = { hello: 'welcome', join: 'signed_in', sign_in: 'signed_in', recognize: 'recognized', sync: 'synced', history: 'history', send: 'ack',
  list_people: 'people', list_online: 'online', list_rooms: 'rooms', ping: 'pong', list_sanctions: 'sanctions', show_invite: 'invite', new_invite: 'invite',
  terminate: 'done', ban: 'done', unban: 'done', mute: 'done', unmute: 'done', set_role: 'done', rename_chat: 'done' };

// ---------------------------------------------------------------- a connection (sections 1, 5 and 11)

// A command was refused; has the fields of `error`.
export class Refused extends Error {
  constructor(error) { super(`refused: ${JSON.stringify(error)}`); Object.assign(this, error); }
}
// Somebody else answers at the address of the server. A person has to be told; there is no way on.
export class WrongServer extends Error {}

export class Connection {
  onPush = () => {}; afterChunk = () => {}; goodbye = null; fault = null; isClosed = false;
  #socket; #reader = new FrameReader(); #nextId = 1; #waiting = new Map(); #sent = Date.now(); #received = Date.now();

  // Tries the addresses side by side and keeps the first that shows the right certificate.
  static open(invite, options) {
    return new Promise((resolve, reject) => {
      const waiting = addressesToTry(invite), open = new Set(), wrong = [];
      let timer, over = false, lastError = null;
      const next = () => {
        clearTimeout(timer);
        if (over) return;
        if (waiting.length) {
          open.add(attempt(waiting.shift()));
          timer = setTimeout(next, 150);
        } else if (!open.size) {
          // Another server on loopback says nothing, unless the invite has no other addresses.
          const counts = wrong.filter(a => !isLoopback(a) || invite.addresses.every(isLoopback));
          reject(counts.length ? new WrongServer(`another server is at ${counts}`) : lastError ?? new Error('no address to try'));
        }
      };
      const attempt = address => {
        const plain = { host: address, port: invite.port, noDelay: true };
        // The chain means nothing here; OpenSSL checks the handshake's signature all the same.
        const socket = invite.plain ? net.connect(plain) : tls.connect({ ...plain, minVersion: 'TLSv1.3', rejectUnauthorized: false, checkServerIdentity: () => undefined });
        const fail = error => { lastError = error; if (open.delete(socket)) { socket.destroy(); next(); } };
        socket.setTimeout(3500, () => fail(new Error('no answer from ' + address)));
        socket.once('error', fail).once('close', () => fail(new Error('closed by ' + address)));
        socket.once(invite.plain ? 'connect' : 'secureConnect', () => {
          if (over) return;
          if (!invite.plain && !sha256(socket.getPeerX509Certificate().raw).equals(invite.fingerprint)) { wrong.push(address); return fail(new Error('not the server of the invite')); }
          over = true;
          clearTimeout(timer);
          for (const other of open) if (other !== socket) other.destroy();
          socket.setTimeout(0).removeAllListeners('close').removeListener('error', fail);
          resolve(new Connection(socket, options));
        });
        return socket;
      };
      next();
    });
  }

  constructor(socket, { keepAlive = true } = {}) {
    this.#socket = socket;
    this.closed = new Promise(done => (this.onClosed = done));
    socket.on('data', chunk => {
      this.#received = Date.now();
      try { for (const message of this.#reader.push(chunk)) if (!this.isClosed) this.#take(message); } catch (error) { this.close(error); }
      this.afterChunk();
    });
    // The server ends the stream without close_notify; each frame has its length, so that is no loss.
    socket.on('error', () => this.close()).on('end', () => this.close()).on('close', () => this.close());
    if (keepAlive) this.timer = setInterval(() => {
      if (Date.now() - this.#received > 60000) this.close(new Error('silent'));
      else if (Date.now() - this.#sent > 20000) this.request('ping').catch(() => {});
    }, 1000);
  }

  #take(message) {
    if (!isObject(message) || typeof message.type !== 'string') throw new Error('no message: ' + JSON.stringify(message));
    const known = Object.hasOwn(FORMS, message.type);
    // To a client of version 1, which is too old, the refusal comes in the form that it knows.
    const isOld = message.type === 'error' && message.code === 'version' && string(500)(message.message);
    if (known && !isOld && !fields(FORMS[message.type])(message)) throw new Error('a known field has another form: ' + JSON.stringify(message).slice(0, 300));
    if (message.type === 'goodbye') { this.goodbye = message; return this.close(); }
    if (!Object.hasOwn(message, 're') || message.re === null) return known ? this.onPush(message) : undefined;
    const command = this.#waiting.get(message.re);
    if (!command) throw new Error('an answer to nothing: ' + JSON.stringify(message));
    this.#waiting.delete(message.re);
    if (message.type === 'error') { command.refuse(message); command.reject(new Refused(message)); return; }
    if (message.type !== ANSWER[command.type]) throw new Error(`${message.type} does not answer ${command.type}`);
    command.accept(message);
    command.resolve(message);
  }

  // Sends a command. `accept` and `refuse` are called in the place of the answer in the stream, before
  // anything that follows it is looked at; the promise is for those who need not be so exact.
  request(type, more = {}, accept = () => {}, refuse = () => {}) {
    return new Promise((resolve, reject) => {
      if (this.isClosed) return reject(new Error('the connection is over'));
      const number = this.#nextId++;
      this.#waiting.set(number, { type, accept, refuse, resolve, reject });
      this.write(frame({ type, id: number, ...more }));
    });
  }

  get unanswered() { return this.#waiting.size; }
  hold() { this.#socket.pause(); } // for a test: takes nothing for a while
  go() { this.#socket.resume(); }
  write(bytes) { this.#sent = Date.now(); if (!this.isClosed) this.#socket.write(bytes); }

  close(fault = null) {
    if (this.isClosed) return;
    this.isClosed = true;
    this.fault = fault;
    clearInterval(this.timer);
    this.#socket.destroy();
    for (const { reject } of this.#waiting.values()) reject(new Error('lost connection'));
    this.onClosed(this);
    this.afterChunk();
  }
}

// ---------------------------------------------------------------- a client (sections 6 to 13 and 16)

const COMES_BACK = ['server_closing', 'too_slow', 'timeout', 'internal'];

export function newCid() {
  const bytes = randomBytes(12);
  bytes.writeUIntBE(Date.now(), 0, 6);
  return bytes.toString('base64url');
}

export class Client {
  online = new Set(); ready = false; away = null; stopped = false; faults = []; pushes = []; connections = 0; duplicates = 0;
  #waiters = new Set(); #dirty = false; #holding = null; #promises = new Map();

  // All that has to outlast the program is in `state`, which is one file replaced as a whole: that
  // makes each change of an event with its position, or of the outbox, a single transaction.
  constructor(link, { file, presence = false, window = 1, most = null, shortestPause = 500, ...account } = {}) {
    Object.assign(this, { file, presence, window, most, shortestPause });
    this.state = file && fs.existsSync(file) ? JSON.parse(fs.readFileSync(file)) : { installation: hex(16), token: hex(32), device: 'stranger', ...account, joined: false,
      session: null, epoch: null, people: {}, change: 0, rooms: {}, outbox: [] };
    this.state.link = link ?? this.state.link;
  }

  save() { this.#dirty = true; }
  #commit() {
    if (!this.#dirty || !this.file) return;
    fs.writeFileSync(this.file + '.new', JSON.stringify(this.state), { mode: 0o600 });
    fs.renameSync(this.file + '.new', this.file);
    this.#dirty = false;
  }

  // Waits until something is so; looked at again whenever anything came.
  until(test, what = String(test), ms = 15000) {
    return new Promise((resolve, reject) => {
      const waiter = () => { const found = test(); if (found) { clearTimeout(timer); this.#waiters.delete(waiter); resolve(found); } };
      const timer = setTimeout(() => { this.#waiters.delete(waiter); reject(new Error(`${this.state.username}: did not come: ${what}`)); }, ms);
      this.#waiters.add(waiter);
      waiter();
    });
  }
  #changed = () => { this.#commit(); for (const waiter of [...this.#waiters]) waiter(); };

  // Connects and comes back until stop(), or until only a person may bring it back: see `away`.
  async run() {
    this.away = null;
    this.stopped = false;
    for (let pause = this.shortestPause; !this.stopped && !this.away; ) {
      let least = 0;
      const began = Date.now();
      this.gotAck = false;
      try {
        const connection = (this.connection = await Connection.open(parseInvite(this.state.link)));
        this.connections++;
        Object.assign(this, { started: new Set(), asked: new Set(), heads: {}, refused: {}, resets: new Set() });
        connection.onPush = message => this.#push(message);
        connection.afterChunk = this.#changed;
        await this.#enter(connection).catch(error => {
          if (error instanceof Refused && !error.retryable) this.away = error;
          else if (error instanceof Refused) least = error.retry_after ?? 0;
          else if (!connection.isClosed) connection.fault ??= error;
          connection.close(connection.fault);
        });
        await connection.closed;
        if (connection.fault) this.faults.push(connection.fault);
        if (connection.goodbye && !COMES_BACK.includes(connection.goodbye.code)) this.away = connection.goodbye;
        least = Math.max(least, connection.goodbye?.retry_after ?? 0);
      } catch (error) {
        if (error instanceof WrongServer) this.away = error;
        this.lastError = error;
      }
      this.ready = false;
      this.#holding = null;
      for (const message of this.state.outbox) message.underWay = false;
      this.#changed();
      if (this.gotAck || Date.now() - began > 30000) pause = this.shortestPause;
      if (!this.stopped && !this.away) await sleep(Math.max(least, pause * (0.5 + Math.random() / 2)));
      pause = Math.min(pause * 2, 30000);
    }
    return this.away;
  }
  start() { this.running = this.run(); return this.until(() => this.ready || this.away, 'ready or away', 30000).then(() => this); }
  async stop() { this.stopped = true; this.connection?.close(); await this.running; }

  async #enter(connection) {
    const { state } = this;
    const welcome = await connection.request('hello', { protocol: 2, capabilities: this.presence ? ['presence'] : [], program: 'Stranger 1.0' });
    if (welcome.protocol !== 2) throw new Error('this program needs an update');
    this.serverName = welcome.server_name;
    this.clockOffset = welcome.time - Date.now();
    const isOther = state.epoch !== null && state.epoch !== welcome.epoch;
    this.save();
    this.#commit(); // the token has to be on the disk before it is used
    const who = { username: state.username, token: state.token, device: state.device, installation: state.installation };
    const entered = reply => {
      this.save();
      if (isOther) {
        // Another log: nothing that was fetched belongs to it, and what was marked as sent may be gone.
        state.rooms = {};
        for (const message of state.outbox) message.seq = null;
      }
      Object.assign(state, { joined: true, epoch: welcome.epoch, username: reply.username, display_name: reply.display_name, session: reply.session });
      this.mute = reply.mute;
      this.role = reply.role;
    };
    if (state.joined) await connection.request('sign_in', { ...who, resume: isOther ? null : state.session }, entered);
    else await connection.request('join', { ...who, secret: parseInvite(state.link).secret, display_name: state.display_name ?? state.username }, entered);

    this.knowsAll = false;
    for (let more = true, since = state.change; more; ) {
      await connection.request('list_people', { since }, reply => {
        if (since !== 0 && reply.since === 0) state.people = {};
        for (const p of reply.people) this.#person(p);
        since = reply.people.at(-1)?.change ?? reply.since;
        more = reply.more;
        if (!more) { this.knowsAll = true; state.change = since; }
      });
    }
    this.online = new Set(await this.pages('list_online', 'online', name => name));
    this.roomFacts = Object.fromEntries((await this.pages('list_rooms', 'rooms', r => r.room)).map(r => [r.room, r]));
    await this.#follow(Object.keys(this.roomFacts));
    this.ready = true;
    this.#changed();
    this.#pump();
  }

  ask(...command) { return this.connection.request(...command); }
  async pages(type, list, key) {
    const all = [];
    for (let more = true; more; ) {
      const page = await this.ask(type, all.length ? { after: key(all.at(-1)) } : {});
      all.push(...page[list]);
      more = page.more;
    }
    return all;
  }

  #person(p) { this.save(); if (!(this.state.people[p.username]?.change > p.change)) this.state.people[p.username] = p; }
  #room(name) { return (this.state.rooms[name] ??= { position: 0, events: {} }); }

  async #follow(names) {
    const rooms = names.filter(name => !this.asked.has(name));
    rooms.forEach(name => this.asked.add(name));
    for (let i = 0; i < rooms.length; i += 256) {
      const positions = Object.fromEntries(rooms.slice(i, i + 256).map(name => [name, this.#room(name).position]));
      const held = Object.entries(positions).filter(([name, seq]) => this.#room(name).events[seq]);
      const last = Object.fromEntries(held.map(([name, seq]) => [name, this.#room(name).events[seq].cid]));
      const again = [];
      await this.ask('sync', { positions, ...(held.length ? { last } : {}), ...(this.most === null ? {} : { most: this.most }) }, reply => {
        this.save();
        Object.assign(this.heads, reply.heads);
        for (const name of Object.keys(reply.heads)) this.started.add(name);
        for (const name of reply.skipped) {
          // What is marked as sent has its event in the gap, if no backup took it: to send it again tells.
          for (const message of this.state.outbox) if (message.room === name) message.seq = null;
          this.#moveTo(name, reply.heads[name]);
        }
        for (const [name, why] of Object.entries(reply.refused)) {
          if (why !== 'position_ahead') { this.refused[name] = why; continue; }
          if (positions[name] === 0 || this.resets.has(name)) throw new Error('refused again: ' + name);
          this.resets.add(name);
          this.state.rooms[name] = { position: 0, events: {} };
          for (const message of this.state.outbox) if (message.room === name) message.seq = null;
          this.asked.delete(name);
          again.push(name);
        }
      });
      if (again.length) await this.#follow(again);
    }
  }

  // The position moves on, and what was marked as sent with a place up to it is settled.
  #moveTo(name, seq) {
    this.#room(name).position = seq;
    for (const m of this.state.outbox.filter(m => m.room === name && m.seq !== null && m.seq <= seq)) this.#settle(m, { seq: m.seq });
  }
  #settle(message, ack) {
    this.save();
    this.state.outbox = this.state.outbox.filter(m => m.cid !== message.cid);
    this.#promises.get(message.cid)?.resolve(ack);
  }

  #push(message) {
    if (!['event', 'error'].includes(message.type)) this.pushes.push(message);
    switch (message.type) {
      case 'event': return this.#event(message);
      case 'person': this.#person(message.person); if (message.person.username === this.state.username) this.role = message.person.role; if (this.knowsAll) this.state.change = Math.max(this.state.change, message.person.change); return;
      case 'presence': message.online ? this.online.add(message.username) : this.online.delete(message.username); return;
      case 'room': this.roomFacts && (this.roomFacts[message.room.room] ??= message.room); this.#follow([message.room.room]).catch(() => {}); return;
      case 'muted': this.mute = message.mute; return;
      case 'server': this.serverName = message.server_name;
    }
  }

  #event({ type, room: name, ...event }) {
    const room = this.#room(name);
    if (!this.started.has(name)) throw new Error('an event of a room that was not synced');
    if (event.seq <= room.position) { this.duplicates++; return; }
    if (event.seq > room.position + 1) throw new Error(`a gap in ${name} before ${event.seq}`);
    this.save();
    room.events[event.seq] = event;
    const own = event.sender === this.state.username && this.state.outbox.find(m => m.cid === event.cid);
    if (own) this.#settle(own, event);
    this.#moveTo(name, event.seq);
  }

  // Puts a message into the outbox; the promise is for its place, or for a final refusal.
  send(room, text, cid = newCid()) {
    this.save();
    this.state.outbox.push({ room, cid, text, seq: null });
    const promise = new Promise((resolve, reject) => this.#promises.set(cid, { resolve, reject }));
    this.#commit();
    this.#pump();
    return promise;
  }

  // Up to `window` messages are under way; each names the one before, so none can overtake another.
  #pump() {
    if (!this.ready || this.#holding) return;
    const { outbox } = this.state;
    let previous = outbox.filter(m => m.underWay).at(-1);
    for (let count = outbox.filter(m => m.underWay).length; count < this.window; count++) {
      const message = outbox.find(m => !m.underWay && m.seq === null);
      if (!message) return;
      message.underWay = true;
      const { room, cid, text } = message;
      this.ask('send', { room, cid, kind: 'message', body: { text }, ...(previous ? { after: previous.cid } : {}) },
        ack => this.#acked(message, ack), error => this.#refusedSend(message, error)).catch(() => {});
      previous = message;
    }
  }

  #acked(message, ack) {
    if (ack.cid !== message.cid || ack.room !== message.room) throw new Error('an ack of another message');
    this.gotAck = true;
    message.underWay = false;
    const { position } = this.#room(message.room);
    if (ack.seq === position + 1 && (position === 0 || this.started.has(message.room))) {
      this.#room(message.room).events[ack.seq] = { seq: ack.seq, kind: 'message', sender: this.state.username, sent_at: ack.sent_at, cid: ack.cid, body: { text: message.text } };
      this.#settle(message, ack);
      this.#moveTo(message.room, ack.seq);
    } else if (ack.seq <= position) this.#settle(message, ack);
    else { message.seq = ack.seq; this.save(); } // stored, and its event will come in its turn
    this.#resume();
  }

  #refusedSend(message, error) {
    message.underWay = false;
    if (!error.retryable) {
      this.state.outbox = this.state.outbox.filter(m => m !== message);
      this.save();
      this.#promises.get(message.cid)?.reject(new Refused(error));
    } else {
      // Wait until all under way is answered, then go on from the first that was refused.
      this.#holding ??= { pause: 0 };
      const pause = (this.retryPause = Math.min((this.retryPause ?? 250) * 2, 30000));
      if (error.code !== 'too_early') this.#holding.pause = Math.max(this.#holding.pause, error.retry_after ?? 0, pause);
    }
    this.#resume();
  }

  #resume() {
    const held = this.#holding, { connection } = this;
    if (!held) return this.#pump();
    if (this.state.outbox.some(m => m.underWay) || held.timer) return;
    held.timer = setTimeout(() => { if (this.connection === connection && this.#holding === held) { this.#holding = null; this.#pump(); } }, held.pause);
  }

  events(room = 'general') { return Object.values(this.state.rooms[room]?.events ?? {}); }
  texts(room) { return this.events(room).filter(e => e.kind === 'message').map(e => e.body.text); }
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [what, link, ...options] = process.argv.slice(2);
  if (what !== 'play' || !link) {
    console.error('usage: node stranger.mjs play LINK [--host CMD] [--falls] [--slow]');
    process.exit(2);
  }
  const at = options.indexOf('--host');
  import('./stranger_play.mjs') // which imports this file: so there must be no waiting here
    .then(({ play }) => play(link, { host: at < 0 ? null : options[at + 1], falls: options.includes('--falls'), slow: options.includes('--slow') }))
    .then(right => process.exit(right ? 0 : 1));
}
