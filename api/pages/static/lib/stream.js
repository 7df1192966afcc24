// Following a stream: the board from patches (RFC 7396), coming back where it left off, and saying when it is not so.
import { token } from "./api.js";
import { heard } from "./time.js";

const LATE_MS = 32_000; // two heartbeats
const FIRST_BACKOFF_MS = 500;
const MOST_BACKOFF_MS = 15_000;
const FINAL = new Set([4400, 4401, 4404]);

export function merged(target, patch) {
  if (patch === null || typeof patch !== "object" || Array.isArray(patch)) return patch;
  const result = target !== null && typeof target === "object" && !Array.isArray(target) ? { ...target } : {};
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete result[name];
    else result[name] = merged(result[name], value);
  }
  return result;
}

// `on` has any of: snapshot(board), event(frame, board), planned(), estimate(frame), ticket(document), fresh(isFresh),
// refused(code). `planned`: there may be another plan.
export class Stream {
  constructor(path, on) {
    this.path = path;
    this.on = on;
    this.board = null;
    this.place = null;
    this.backoff_ms = FIRST_BACKOFF_MS;
    this.isFresh = null;
    addEventListener("online", () => this.#connectNow());
    document.addEventListener("visibilitychange", () => { if (!document.hidden) this.#connectNow(); });
    this.#connect();
  }

  #url() {
    const url = new URL(this.path, location.href);
    url.protocol = url.protocol.replace("http", "ws");
    if (this.place && this.board) {
      url.searchParams.set("after", this.place.seq);
      url.searchParams.set("head", this.place.head);
    }
    if (token()) url.searchParams.set("access_token", token());
    return url;
  }

  #connectNow() {
    if (this.socket?.readyState === WebSocket.OPEN || this.socket?.readyState === WebSocket.CONNECTING) return;
    clearTimeout(this.again);
    this.#connect();
  }

  #connect() {
    const socket = new WebSocket(this.#url());
    this.socket = socket;
    this.#expect();
    socket.addEventListener("message", (message) => { if (socket === this.socket) this.#take(JSON.parse(message.data)); });
    socket.addEventListener("close", (event) => { if (socket === this.socket) this.#lost(event.code); });
  }

  #lost(code) {
    clearTimeout(this.late);
    this.#say(false);
    if (FINAL.has(code)) this.on.refused?.(code);
    const wait_ms = this.backoff_ms * (0.5 + Math.random());
    this.backoff_ms = Math.min(this.backoff_ms * 2, MOST_BACKOFF_MS);
    this.again = setTimeout(() => this.#connect(), wait_ms);
  }

  // Without any frame for so long the connection is dead, whatever the network says.
  #expect() {
    clearTimeout(this.late);
    this.late = setTimeout(() => { const socket = this.socket; this.socket = null; socket.close(); this.#lost(0); }, LATE_MS);
  }

  #say(isFresh) {
    if (isFresh !== this.isFresh) this.on.fresh?.((this.isFresh = isFresh));
  }

  #take(frame) {
    this.#expect();
    heard(frame.at ?? frame.as_of);
    this.backoff_ms = FIRST_BACKOFF_MS;
    if (frame.type === "snapshot" && frame.board) {
      if (this.board) this.on.planned?.();
      this.board = frame.board;
      this.#remember(frame);
      this.on.snapshot?.(this.board);
    } else if (frame.type === "event") {
      if (frame.board) this.on.planned?.();
      this.board = frame.board ?? merged(this.board, frame.patch);
      this.#remember(frame);
      this.on.event?.(frame, this.board);
    } else if (frame.type === "heartbeat" && this.board && frame.seq > this.place.seq) {
      this.place = null; // something was missed: start over
      this.socket.close();
      return;
    } else if (frame.type === "estimate") {
      this.on.estimate?.(frame);
    } else if (frame.ticket) {
      this.on.ticket?.(frame.ticket);
    }
    this.#say(true);
  }

  #remember(frame) {
    this.place = { seq: frame.seq, head: frame.head };
  }
}
