// The plan editor: write, see faults in the line they belong to, see what would change, apply. Nothing written is lost:
// a draft stays on this machine until it is applied, also when somebody else was faster.
import { Refused, answerTo, explain, hallPath } from "./lib/api.js";
import { button, h, show, toast, write } from "./lib/dom.js";
import { begin, fill, places } from "./lib/page.js";
import { Unreadable, lineAt, lineOf, positions } from "./lib/positions.js";
import { Stream } from "./lib/stream.js";
import { has, t } from "./lib/words.js";

const CHECK_MS = 400;
const SHOWN_LENGTH = 60;
const [hall] = places;
const path = hallPath(hall);
const DRAFT = `plan-of-${hall}`;

let known = null; // the plan this text began from: {text, etag}
let checked = null; // {faults} or {changes}, of the text as it stands
let asked = 0;
const parts = {};

// What people look for first stands first; the rest as the node sends it.
const FIRST = ["id", "name", "names", "time_zone", "languages", "order", "max_overtake_s", "promise", "calendar", "zones", "services", "counters", "priorities"];
const pretty = (document) => {
  const inOrder = ({ id, name, ...rest }) => ({ ...(id !== undefined && { id }), ...(name !== undefined && { name }), ...rest });
  const named = (value) => (Array.isArray(value) ? value.map(named) : value && typeof value === "object" ? inOrder(value) : value);
  const first = Object.fromEntries(FIRST.filter((name) => name in document).map((name) => [name, document[name]]));
  return JSON.stringify(Object.fromEntries(Object.entries({ ...first, ...document }).map(([name, value]) => [name, named(value)])), null, 2);
};

// A hall that is not there yet begins with a plan to be filled in; version 0 is the one before the first.
const firstPlan = () => ({
  id: hall, name: t("new-hall"), time_zone: Intl.DateTimeFormat().resolvedOptions().timeZone, max_overtake_s: 900,
  services: [{ id: "service-1", name: t("service"), prefix: "A" }], counters: [{ id: "1", name: t("counter-number", { number: "1" }) }],
});

async function load() {
  const answer = await answerTo("GET", path).catch((error) => { if (error.status === 404) return null; throw error; });
  if (!answer) return { text: pretty(firstPlan()), etag: '"0"' };
  return { text: pretty(answer.document), etag: answer.headers.get("etag") };
}

// -- checking

async function check() {
  const mine = (asked += 1);
  const text = parts.text.value;
  localStorage.setItem(DRAFT, JSON.stringify({ text, etag: known.etag }));
  const found = await faultsOrChanges(text);
  if (mine !== asked) return; // something newer is written
  checked = found;
  draw();
}

async function faultsOrChanges(text) {
  let where;
  try {
    where = positions(text);
    const answer = await answerTo("POST", `${path}/plan-check`, JSON.parse(text), { "If-Match": known.etag });
    return { changes: answer.document.changes };
  } catch (error) {
    if (error instanceof Unreadable) return { faults: [{ line: lineOf(text, error.at), text: t("fault-not-json") }] };
    if (!(error instanceof Refused)) throw error;
    if (error.status === 412) { await overtaken(); return { faults: [] }; }
    if (error.problem.faults) return { faults: error.problem.faults.map((one) => ({ line: lineAt(text, where, one.place), place: one.place, text: faultText(one) })) };
    if (error.problem.uses) return { faults: error.problem.uses.map((one) => ({ line: 0, text: t("plan-in-use", { what: t(`in-use-${one.code}`, { ...one, state: one.state && t(`state-${one.state}`) }) }) })) };
    return { faults: [{ line: lineAt(text, where, error.problem.place ?? ""), text: explain(error) }] };
  }
}

const faultText = (fault) => (has(`fault-${fault.code}`) ? t(`fault-${fault.code}`, { bound: fault.bound ?? "" }) : fault.message.replace(/^Value error, /, ""));

// -- somebody else was faster

async function overtaken() {
  const theirs = await load();
  if (theirs.etag === known.etag) return;
  const compare = () => { known = theirs; parts.conflict.hidden = true; check().catch(failed); };
  const take = () => { known = theirs; parts.text.value = theirs.text; parts.conflict.hidden = true; check().catch(failed); };
  show(parts.conflict, h("p", {}, t("plan-overtaken")), h("div.row", {}, button({ class: "primary", onclick: compare }, t("plan-compare")), button({ onclick: take }, t("plan-take-theirs"))));
  parts.conflict.hidden = false;
}

const failed = (error) => toast(explain(error), "bad");

async function apply() {
  try {
    const answer = await answerTo("PUT", path, JSON.parse(parts.text.value), { "If-Match": known.etag });
    known = { text: pretty(answer.document), etag: answer.headers.get("etag") };
    parts.text.value = known.text;
    localStorage.removeItem(DRAFT);
    toast(t("plan-applied"));
    checked = { changes: [] };
    draw();
    if (answer.status === 201) location.reload(); // there is a stream to follow now
  } catch (error) {
    if (error instanceof Refused && error.status === 412) await overtaken();
    else failed(error);
  }
}

function discard() {
  localStorage.removeItem(DRAFT);
  parts.text.value = known.text;
  check().catch(failed);
}

// -- drawing

const short = (value) => { const text = JSON.stringify(value); return text.length > SHOWN_LENGTH ? `${text.slice(0, SHOWN_LENGTH)}…` : text; };

function change(one) {
  const kind = one.before === null ? "added" : one.after === null ? "removed" : "changed";
  return h("li", {}, h("span", { class: `tag ${{ added: "good", removed: "bad", changed: "warn" }[kind]}` }, t(`change-${kind}`)), h("code", {}, one.place),
    kind === "changed" ? h("p.values", {}, h("del", {}, short(one.before)), " → ", h("ins", {}, short(one.after))) : h("p.values.soft", {}, short(one.after ?? one.before)));
}

function goTo(line) {
  const lines = parts.text.value.split("\n");
  const start = lines.slice(0, line - 1).join("\n").length + (line > 1 ? 1 : 0);
  parts.text.focus();
  parts.text.setSelectionRange(start, start + lines[line - 1].length);
  parts.editor.scrollTop = Math.max(0, (parts.text.scrollHeight / lines.length) * (line - 5));
}

function drawLines(faults) {
  const lines = parts.text.value.split("\n");
  const faulty = new Set(faults.map((one) => one.line));
  parts.text.rows = lines.length;
  parts.text.cols = Math.max(40, ...lines.map((one) => one.length)) + 2;
  show(parts.gutter, lines.map((_, place) => h("span", { class: faulty.has(place + 1) ? "wrong" : "" }, String(place + 1))));
  show(parts.marks, faults.filter((one) => one.line).map((one) => {
    const mark = h("span.mark", {}, one.text);
    mark.style.top = `calc(${one.line - 1} * var(--row))`;
    mark.style.left = `${lines[one.line - 1].length + 3}ch`;
    return mark;
  }));
}

function draw() {
  const faults = checked?.faults ?? [], changes = checked?.changes ?? [];
  drawLines(faults);
  parts.apply.disabled = changes.length === 0;
  parts.discard.disabled = parts.text.value === known.text;
  write(parts.verdict, faults.length ? t("plan-faults", { count: faults.length }) : changes.length ? t("plan-changes", { count: changes.length }) : t("plan-unchanged"));
  parts.verdict.className = `notice ${faults.length ? "bad" : "good"}`;
  show(parts.faults, faults.map((one) => h("li", {}, button({ class: "quiet", disabled: !one.line, onclick: () => goTo(one.line) }, one.line ? t("line", { line: one.line }) : "!"), h("div", {}, one.place ? h("code", {}, one.place) : null, h("p", {}, one.text)))));
  show(parts.changes, changes.map(change));
}

function layout() {
  parts.text = h("textarea", { id: "plan", spellcheck: "false", wrap: "off", autocomplete: "off", "aria-describedby": "verdict" });
  parts.gutter = h("div.gutter", { "aria-hidden": "true" });
  parts.marks = h("div.marks", { "aria-hidden": "true" });
  parts.editor = h("div.editor.card", {}, parts.gutter, h("div.written", {}, parts.text, parts.marks));
  parts.verdict = h("p", { id: "verdict", class: "notice", role: "status" });
  parts.faults = h("ul.faults");
  parts.changes = h("ul.changes");
  parts.conflict = h("div.notice.stack", { role: "alert", hidden: true });
  parts.apply = button({ class: "primary", disabled: true, onclick: apply }, t("plan-apply"));
  parts.discard = button({ onclick: discard }, t("plan-discard"));
  return fill(`${t("title-plan")} · ${hall}`, [parts.discard, parts.apply], h("div.stack", {}, parts.conflict, h("label", { for: "plan" }, t("plan-text")), parts.editor),
      h("section.card.stack", { "aria-label": t("plan-preview") }, h("h2", {}, t("plan-preview")), parts.verdict, parts.faults, parts.changes));
}

begin("plan", async () => {
  known = await load();
  const fresh = layout();
  const draft = JSON.parse(localStorage.getItem(DRAFT) ?? "null");
  parts.text.value = draft?.text ?? known.text;
  if (draft && draft.text !== known.text) {
    toast(t("plan-draft"));
    if (draft.etag !== known.etag) { known.etag = draft.etag; await overtaken(); }
  }
  let soon = null;
  parts.text.addEventListener("input", () => { parts.apply.disabled = true; clearTimeout(soon); soon = setTimeout(() => check().catch(failed), CHECK_MS); drawLines([]); });
  await check();
  new Stream(`${path}/stream`, { fresh, event: (frame) => { if (frame.kind === "plan_changed") overtaken().catch(() => {}); } });
});
