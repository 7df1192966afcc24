// The public API: one key for each thing a person does, so that a repeat after a lost answer does it once.
import { has, t } from "./words.js";

const RETRIES_MS = [300, 1000, 2500];

// A token comes once, behind the # of the address (which no server sees), and stays on this machine.
const given = new URLSearchParams(location.hash.slice(1)).get("token");
if (given) {
  localStorage.setItem("token", given);
  history.replaceState(null, "", location.pathname + location.search);
}
export const token = () => localStorage.getItem("token");

export class Refused extends Error {
  constructor(status, problem) {
    super(problem.detail ?? problem.title ?? String(status));
    this.status = status;
    this.problem = problem;
    this.type = (problem.type ?? "").split("/").pop();
  }
}

// What to tell a person: the problem in their language where there are words for it.
export function explain(error) {
  if (!(error instanceof Refused)) return t("problem-offline");
  const name = [error.problem.code, error.type].map((one) => `problem-${one}`).find(has);
  return name ? t(name, error.problem) : error.message;
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function once(method, path, body, key, more) {
  const headers = { ...more };
  if (token()) headers.Authorization = `Bearer ${token()}`;
  if (key) headers["Idempotency-Key"] = key;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const answer = await fetch(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body), cache: "no-store" });
  const text = await answer.text();
  if (answer.ok && (answer.headers.get("content-type") ?? "").startsWith("image/")) return { document: `data:image/svg+xml,${encodeURIComponent(text)}` };
  const document = text && (answer.headers.get("content-type") ?? "").includes("json") ? JSON.parse(text) : null;
  if (!answer.ok) throw new Refused(answer.status, document ?? {});
  return { status: answer.status, headers: answer.headers, document };
}

async function asked(method, path, body, key, more) {
  for (const wait_ms of RETRIES_MS) {
    try {
      return await once(method, path, body, key, more);
    } catch (error) {
      if (error instanceof Refused && error.status !== 503) throw error;
      await pause(wait_ms);
    }
  }
  return once(method, path, body, key, more);
}

export const newKey = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
export const read = async (path) => (await asked("GET", path)).document;
export const answerTo = (method, path, body, headers) => asked(method, path, body, method === "GET" ? undefined : newKey(), headers);
export const answerOf = (path, body, key = newKey()) => asked("POST", path, body, key);
export const tell = async (path, body, key) => (await answerOf(path, body, key)).document;
export const hallPath = (hall) => `/v1/halls/${encodeURIComponent(hall)}`;
export const ticketPath = (ticket) => `/v1/tickets/${encodeURIComponent(ticket)}`;
export const counterPath = (hall, counter) => `${hallPath(hall)}/counters/${encodeURIComponent(counter)}`;

// Wishes one after the other, each once: `name` tells them apart.
export function inTurn(work, name) {
  const wished = new Map();
  let last = Promise.resolve();
  return (...values) => {
    const wish = name(...values);
    if (!wished.has(wish)) wished.set(wish, last = last.then(() => work(...values)).finally(() => wished.delete(wish)));
    return wished.get(wish);
  };
}

// A button that does one thing at a time: a second press before the answer is the same wish.
export function single(work) {
  let running = null;
  return (...values) => (running ??= Promise.resolve(work(...values)).finally(() => { running = null; }));
}
