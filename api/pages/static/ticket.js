// A visitor's own ticket on a phone: the number, the place in line, and what can be done about it.
import { explain, read, single, tell, ticketPath } from "./lib/api.js";
import { ask, h, show, toast, write } from "./lib/dom.js";
import { begin, indexed, places, root, staleMark } from "./lib/page.js";
import { Stream } from "./lib/stream.js";
import { clock, languageSwitch, likely, minutes, named, t } from "./lib/words.js";

const POSTPONE_S = [300, 600, 900, 1800];
const [id] = places;

let plan = null, ticket = null, estimate = null;
const parts = {};

const act = single(async (verb, body) => {
  try {
    take(await tell(`${ticketPath(id)}/${verb}`, body));
  } catch (error) {
    toast(explain(error), "bad");
  }
});

const service = () => named(plan.serviceOf[ticket.service]) || ticket.service;
const counter = () => plan.counterName(ticket.counter);

const isNear = () => ticket.state === "waiting" && ticket.ahead <= plan.come_now_ahead;

function headline() {
  switch (ticket.state) {
    case "waiting": return isNear() ? t("come-now") : t("people-ahead", { count: ticket.ahead });
    case "called": return t("go-to", { counter: counter() });
    case "serving": return t("being-served", { counter: counter() });
    default: return t(`ticket-${ticket.state}`);
  }
}

function detail() {
  if (ticket.state !== "waiting") return "";
  const range = likely(estimate ?? ticket.estimate);
  if (range) return t("expected-wait", { range });
  return t("waiting-since", { time: clock(ticket.waiting_since, plan.time_zone) });
}

async function postpone() {
  const by_s = await ask(t("postpone-by"), (close) => [h("div", { class: "choices" }, POSTPONE_S.filter((one) => one <= plan.postpone_max_s).map((one) => h("button", { type: "button", onclick: () => close(one) }, minutes(one)))),
    h("button", { type: "button", class: "quiet", onclick: () => close(null) }, t("never-mind"))]);
  if (by_s) await act("postpone", { by_s });
}

async function cancel() {
  const sure = await ask(t("cancel-sure"), (close) => [h("button", { type: "button", class: "danger", onclick: () => close(true) }, t("cancel-yes")), h("button", { type: "button", onclick: () => close(null) }, t("cancel-no"))]);
  if (sure) await act("cancel");
}

function take(document) {
  ticket = document;
  const open = ["waiting", "called", "parked", "expected"].includes(ticket.state);
  write(parts.number, ticket.number);
  write(parts.service, service());
  write(parts.headline, headline());
  write(parts.detail, detail());
  parts.card.dataset.state = isNear() ? "near" : ticket.state;
  show(parts.buttons,
    ticket.state === "expected" ? h("button", { type: "button", class: "primary", onclick: () => act("check-in") }, t("check-in")) : null,
    ticket.state === "no_show" ? h("button", { type: "button", class: "primary", onclick: () => act("rejoin") }, t("rejoin")) : null,
    ticket.state === "waiting" ? h("button", { type: "button", onclick: postpone }, t("postpone")) : null,
    open ? h("button", { type: "button", class: "danger", onclick: cancel }, t("cancel")) : null);
  if (ticket.state === "called" && navigator.vibrate) navigator.vibrate([300, 150, 300]);
}

begin("ticket", async () => {
  const first = await read(ticketPath(id));
  plan = indexed(await read(`${ticketPath(id)}/menu`)); // who holds a ticket may read the names of its hall
  const stale = staleMark();
  parts.number = h("p", { class: "number huge" });
  parts.service = h("p", { class: "service" });
  parts.headline = h("p", { class: "headline", role: "status", "aria-live": "assertive" });
  parts.detail = h("p", { class: "soft" });
  parts.buttons = h("div", { class: "stack" });
  parts.card = h("section", { class: "card stack ticket", "aria-label": t("your-ticket") }, h("p", { class: "soft" }, t("your-number")), parts.number, parts.service, parts.headline, parts.detail);
  show(root, stale.mark, h("header", { class: "head" }, h("h1", {}, named(plan)), languageSwitch()), h("div", { class: "body" }, parts.card, parts.buttons, h("p", { class: "soft small" }, t("keep-this-page"))));
  take(first);
  new Stream(`${ticketPath(id)}/stream`, { fresh: stale.fresh, ticket: take, estimate(frame) { estimate = frame.estimate ?? null; take(ticket); } });
});
