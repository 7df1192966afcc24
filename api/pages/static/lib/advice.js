// Staffing advice in words, and what who is in charge makes of it.
import { ask, button, form, h, labelled, show } from "./dom.js";
import { clock, language, t } from "./words.js";

const inWords = (text) => text?.[language] ?? text?.en ?? "";

// Ask why: resolves with `{answer, reason?}`, or null.
function declined() {
  return ask(t("decline-why"), (close) => {
    const why = h("input", { maxlength: 200 });
    return form(() => close({ answer: "declined", ...(why.value.trim() && { reason: why.value.trim() }) }), labelled("why", why), h("button.primary", {}, t("decline")));
  });
}

function buttons(id, answered, answer) {
  if (!id) return null;
  if (answered) return h("p.tag.good", {}, t(`advice-${answered}`));
  const decline = async () => { const body = await declined(); if (body) await answer(id, body); };
  return h("div.row", {}, button({ class: "primary", onclick: () => answer(id, { answer: "accepted" }) }, t("accept")), button({ onclick: decline }, t("decline")));
}

// `answer(advice_id, body)` tells the node. Only advice that the node has noted as given can be answered.
export function drawAdvice(root, found, zone, answer) {
  if (!found) { show(root, h("h2", {}, t("advice")), h("p.soft", {}, t("advice-coming"))); return; }
  const given = new Map((found.given ?? []).map((one) => [one.id, one]));
  const idOf = (one) => one.advice_id ?? (given.has(one.id) ? one.id : null);
  const items = found.advice.map((one) => h("li.stack", {}, h("p.spread", {}, h("strong", {}, inWords(one.text)), h("span.tag.warn", {}, t("until-time", { time: clock(one.by, zone) }))),
    buttons(idOf(one), given.get(idOf(one))?.answer, answer)));
  show(root, h("div.spread", {}, h("h2", {}, t("advice")), h("span.soft.small", {}, t("as-of", { time: clock(found.as_of, zone) }))),
    h("p", { class: found.because ? "soft" : "" }, inWords(found.text)), items.length ? h("ul.advice", {}, items) : null);
}
