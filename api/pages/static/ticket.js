// A visitor's own ticket on a phone: the number, the place in line, and what can be done about it.
import { explain, read, single, tell, ticketPath } from "./lib/api.js";
import { ask, button, h, show, toast, write } from "./lib/dom.js";
import { begin, fill, indexed, places } from "./lib/page.js";
import { Stream } from "./lib/stream.js";
import { now_ms } from "./lib/time.js";
import { clock, likely, minutes, named, t } from "./lib/words.js";

const POSTPONE_S = [300, 600, 900, 1800];
const [id] = places;

let plan = null, ticket = null, estimate = null, again;
const parts = {};

// Who holds a ticket may read the names of its hall.
const menu = async () => { plan = indexed(await read(`${ticketPath(id)}/menu`)); };

const act = single(async (verb, body) => {
  try {
    const changed = await tell(`${ticketPath(id)}/${verb}`, body);
    await menu(); // how often it can still be postponed
    take(changed);
  } catch (error) {
    toast(explain(error), "bad");
  }
});

const service = () => named(plan.serviceOf[ticket.service]) || ticket.service;
const counter = () => plan.counterName(ticket.counter);

// Why nobody is called, where that is known: it is no time to come then.
const standing = () => ({ hall_closed: "hall-closed", suspended: "calls-suspended" })[estimate?.because];
const postponed_ms = () => (ticket.state === "waiting" ? Date.parse(ticket.waiting_since) - now_ms() : 0);
const isNear = () => ticket.state === "waiting" && ticket.ahead <= plan.come_now_ahead && !standing() && postponed_ms() <= 0;

function headline() {
  if (postponed_ms() > 0) return t("postponed-until", { time: clock(ticket.waiting_since, plan.time_zone) });
  switch (ticket.state) {
    case "waiting": return isNear() ? t("come-now") : t("people-ahead", { count: ticket.ahead });
    case "called": return t("go-to", { counter: counter() });
    case "serving": return t("being-served", { counter: counter() });
    default: return t(`ticket-${ticket.state}`);
  }
}

function detail() {
  if (ticket.state !== "waiting") return "";
  if (standing()) return t(standing());
  if (postponed_ms() > 0) return "";
  const range = likely(estimate);
  if (range) return t("expected-wait", { range });
  return t("waiting-since", { time: clock(ticket.waiting_since, plan.time_zone) });
}

async function postpone() {
  const by_s = await ask(t("postpone-by"), (close) => h("div.choices", {}, POSTPONE_S.filter((one) => one <= plan.postpone_max_s).map((one) => button({ onclick: () => close(one) }, minutes(one)))));
  if (by_s) await act("postpone", { by_s });
}

async function cancel() {
  const sure = await ask(t("cancel-sure"), (close) => button({ class: "danger", onclick: () => close(true) }, t("cancel-yes")), t("cancel-no"));
  if (sure) await act("cancel");
}

function take(document) {
  ticket = document;
  estimate = ticket.estimate ?? estimate;
  draw();
  if (ticket.state === "called" && navigator.vibrate) navigator.vibrate([300, 150, 300]);
}

function draw() {
  clearTimeout(again);
  if (postponed_ms() > 0) again = setTimeout(draw, postponed_ms());
  const open = ["waiting", "called", "parked", "expected"].includes(ticket.state);
  write(parts.number, ticket.number);
  write(parts.service, service());
  write(parts.headline, headline());
  write(parts.detail, detail());
  parts.card.dataset.state = isNear() ? "near" : ticket.state;
  show(parts.buttons,
    ticket.state === "expected" ? button({ class: "primary", onclick: () => act("check-in") }, t("check-in")) : null,
    ticket.state === "no_show" ? button({ class: "primary", onclick: () => act("rejoin") }, t("rejoin")) : null,
    ticket.state === "waiting" && plan.postpones_left ? button({ onclick: postpone }, t("postpone")) : null,
    open ? button({ class: "danger", onclick: cancel }, t("cancel")) : null);
}

begin("ticket", async () => {
  const first = await read(ticketPath(id));
  await menu();
  parts.number = h("p.number.huge");
  parts.service = h("p.service");
  parts.headline = h("p.headline", { role: "status", "aria-live": "assertive" });
  parts.detail = h("p.soft");
  parts.buttons = h("div.stack");
  parts.card = h("section.card.stack.ticket", { "aria-label": t("your-ticket") }, h("p.soft", {}, t("your-number")), parts.number, parts.service, parts.headline, parts.detail);
  const fresh = fill(named(plan), null, parts.card, parts.buttons, h("p.soft.small", {}, t("keep-this-page")));
  take(first);
  new Stream(`${ticketPath(id)}/stream`, { fresh, ticket: take, estimate(frame) { estimate = frame.estimate; draw(); } });
});
