// The reception desk: for those who go to a person first. Take a number for somebody, and put right what went wrong.
import { explain, hallPath, inTurn, newKey, read, single, tell, ticketPath } from "./lib/api.js";
import { ask, button, form, h, labelled, show, toast, write } from "./lib/dom.js";
import { begin, fill, places, planOf } from "./lib/page.js";
import { paperForm } from "./lib/paper.js";
import { Stream } from "./lib/stream.js";
import { clock, language, named, span, t } from "./lib/words.js";

const FOUND_SHOWN = 12;
const [hall] = places;
const path = hallPath(hall);

let plan, board = null, found = [], last = null, key = newKey();
const parts = {};

const issue = single(async () => {
  const body = { service: parts.service.value, priority: parts.priority.value, channel: "desk", items: Number(parts.items.value) || 1, language };
  if (parts.with.value.trim()) {
    const companion = (await read(`${path}/tickets?number=${encodeURIComponent(parts.with.value.trim().toUpperCase())}&day=${board.day}`)).items[0];
    if (!companion) { toast(t("no-such-number", { number: parts.with.value }), "bad"); return; }
    body.with = companion.id;
  }
  if (parts.ref.value.trim()) body.ref = parts.ref.value.trim();
  try {
    last = await tell(`${path}/tickets`, body, key);
    key = newKey();
    parts.ref.value = parts.with.value = "";
    parts.items.value = "1";
    toast(t("given", { number: last.number }));
    drawSlip();
    await look();
  } catch (error) {
    toast(explain(error), "bad");
  }
});

async function look() {
  const wanted = parts.number.value.trim().toUpperCase();
  const states = wanted ? [null] : ["waiting", "no_show", "expected"];
  const lists = await Promise.all(states.map((state) => read(`${path}/tickets?day=${board?.day ?? ""}${wanted ? `&number=${encodeURIComponent(wanted)}` : `&state=${state}`}`)));
  found = lists.flatMap((one) => one.items).sort((a, b) => b.issued_at.localeCompare(a.issued_at)).slice(0, FOUND_SHOWN);
  drawFound();
}

// What is pressed for one ticket while another is put right is no second press of that: it waits.
const act = inTurn(async (ticket, verb, body) => {
  try {
    await tell(`${ticketPath(ticket.id)}/${verb}`, body, newKey());
    await look();
  } catch (error) {
    toast(explain(error), "bad");
  }
}, (ticket, verb) => `${ticket.id} ${verb}`);

async function change(ticket) {
  const body = await ask(t("change-title", { number: ticket.number }), (close) => {
    const service = h("select", {}, plan.services.map((one) => h("option", { value: one.id, selected: one.id === ticket.service }, named(one))));
    const priority = h("select", {}, plan.priorities.map((one) => h("option", { value: one.id, selected: one.id === ticket.priority }, named(one))));
    const why = h("input", { required: true, maxlength: 200 });
    const submit = () => close({ reason: why.value, ...(service.value !== ticket.service && { service: service.value }), ...(priority.value !== ticket.priority && { priority: priority.value }) });
    return form(submit, labelled("service", service), labelled("priority", priority), labelled("why", why), h("button.primary", {}, t("put-right")));
  });
  if (body) await act(ticket, "change", body);
}

// Who claims a class: either it is right, or the ticket stays where it is without it. Both stand in the log.
const checked = new Set();
const claims = (one) => one.priority !== plan.priorities[0].id && ["waiting", "expected"].includes(one.state) && !checked.has(one.id);

async function check(ticket) {
  const claimed = plan.priorities.find((one) => one.id === ticket.priority);
  const priority = await ask(t("claim-title", { number: ticket.number, priority: named(claimed) }), (close) => [
    h("p", {}, plan.inLanguage(claimed.condition) ?? t("priority-checked")),
    button({ class: "primary", onclick: () => close(claimed.id) }, t("claim-right")),
    button({ class: "danger", onclick: () => close(plan.priorities[0].id) }, t("claim-wrong"))]);
  if (!priority) return;
  checked.add(ticket.id);
  await act(ticket, "change", { priority, reason: t(priority === claimed.id ? "claim-right" : "claim-wrong") });
}

async function backfill() {
  const entered = await ask(t("paper-title"), (close) => paperForm(plan, board.day, async (body) => close(await tell(`${path}/backfill`, body, newKey()))));
  if (!entered) return;
  toast(t("paper-entered", { numbers: entered.items.map((one) => one.number).join(" ") }));
  await look();
}

function drawFound() {
  show(parts.found, found.length === 0 ? h("li.soft", {}, t("nothing-found")) : found.map((one) => h("li", {},
    h("span.number", {}, one.number), h("span.grow", {}, named(plan.serviceOf[one.service]), h("small.soft", {}, ` ${t(`state-${one.state}`)} · ${clock(one.issued_at, plan.time_zone)} · ${span(one.waited_s)}`)),
    claims(one) ? button({ onclick: () => check(one) }, t("claim-check"), h("span.tag.warn", {}, named(plan.priorities.find((each) => each.id === one.priority)))) : null,
    one.state === "expected" ? button({ onclick: () => act(one, "check-in") }, t("check-in")) : null,
    one.state === "no_show" ? button({ onclick: () => act(one, "rejoin") }, t("rejoin")) : null,
    ["waiting", "called"].includes(one.state) ? button({ onclick: () => change(one) }, t("change")) : null,
    ["waiting", "expected", "called", "parked"].includes(one.state) ? button({ class: "danger", onclick: () => act(one, "cancel") }, t("cancel")) : null,
    button({ onclick: () => { last = one; drawSlip(); print(); } }, t("print")))));
}

function drawSlip() {
  show(parts.slip, last ? [h("p", {}, named(plan)), h("p.number.huge", {}, last.number), h("p.what", {}, named(plan.serviceOf[last.service])),
    h("img", { src: `/qr/t/${last.id}.svg`, alt: t("qr-of-ticket"), class: "code" }), h("p.small", {}, t("scan-to-follow")), button({ class: "no-print", onclick: () => print() }, t("print"))] : []);
  parts.slip.hidden = !last;
}

function drawWaiting() {
  write(parts.ahead, t("people-ahead", { count: board?.services[parts.service.value]?.waiting ?? 0 }));
}

begin("desk", async () => {
  plan = await planOf(hall);
  ({ board } = await read(`${path}/board`));
  document.title = `${t("title-desk")} · ${named(plan)}`;
  parts.service = h("select", { onchange: drawWaiting }, plan.services.map((one) => h("option", { value: one.id }, named(one))));
  parts.priority = h("select", {}, plan.priorities.map((one) => h("option", { value: one.id }, named(one))));
  parts.items = h("input", { type: "number", min: 1, max: 100, value: "1", inputmode: "numeric" });
  parts.with = h("input", { maxlength: 9, autocomplete: "off" });
  parts.ref = h("input", { maxlength: 64, autocomplete: "off" });
  parts.ahead = h("p.soft");
  parts.number = h("input", { type: "search", placeholder: t("by-number"), "aria-label": t("by-number"), oninput: () => look().catch(() => {}) });
  parts.found = h("ul.found");
  parts.slip = h("article.slip.card", { hidden: true });
  const submit = (event) => { event.preventDefault(); issue(); };
  const fresh = fill(`${t("title-desk")} · ${named(plan)}`, button({ onclick: backfill }, t("paper")),
      h("form.card.stack.no-print", { onsubmit: submit }, h("h2", {}, t("take-for")), labelled("service", parts.service), parts.ahead, labelled("priority", parts.priority),
        h("div.two", {}, labelled("how-many-items", parts.items), labelled("goes-with", parts.with)), labelled("reference", parts.ref), h("button.primary.big", {}, t("take-number"))),
      h("section.card.stack.no-print", { "aria-label": t("find") }, h("h2", {}, t("find")), parts.number, parts.found), parts.slip);
  drawWaiting();
  await look();
  let soon = null;
  new Stream(`${path}/stream`, {
    fresh, snapshot(now) { board = now; drawWaiting(); },
    event(_, now) { board = now; drawWaiting(); soon ??= setTimeout(() => { soon = null; look().catch(() => {}); }, 800); },
  });
});
