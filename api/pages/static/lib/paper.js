// The form for paper tickets of an outage: several at once, with the times that are claimed for them.
import { explain, single } from "./api.js";
import { button, form, h, labelled, write } from "./dom.js";
import { atHallTime } from "./time.js";
import { named, t } from "./words.js";

const time = (required) => h("input", { type: "time", required });

function row(plan) {
  const parts = {
    service: h("select", {}, plan.services.map((one) => h("option", { value: one.id }, named(one)))),
    number: h("input", { maxlength: 9, autocomplete: "off", placeholder: plan.emergency_prefix ? `${plan.emergency_prefix}001` : "", disabled: !plan.emergency_prefix }),
    arrived: time(true), called: time(false),
    counter: h("select", {}, h("option", { value: "" }, "–"), plan.counters.map((one) => h("option", { value: one.id }, plan.counterName(one.id)))),
  };
  parts.shown = h("fieldset.paper", {}, labelled("service", parts.service), labelled("paper-number", parts.number), labelled("paper-arrived", parts.arrived), labelled("paper-called", parts.called), labelled("title-counter", parts.counter));
  return parts;
}

// Controls for `ask`: a backfill's body is sent; what is refused stays to be put right. `day`: the hall's business day.
export function paperForm(plan, day, send) {
  const rows = [row(plan)];
  const list = h("div.papers.stack", {}, rows[0].shown);
  const why = h("input", { required: true, maxlength: 200 });
  const at = (part) => atHallTime(day, part.value, plan.time_zone);
  const ticket = (one) => ({
    service: one.service.value, arrived_at: at(one.arrived), ...(one.number.value.trim() && { number: one.number.value.trim().toUpperCase() }),
    ...(one.called.value && { called_at: at(one.called) }), ...(one.counter.value && { counter: one.counter.value }),
  });
  const fault = h("p.notice.bad", { role: "alert", hidden: true });
  const submit = single(async () => {
    try {
      await send({ reason: why.value, tickets: rows.map(ticket) });
    } catch (error) {
      fault.hidden = false;
      write(fault, explain(error));
      const [, , place, field] = (error.problem?.place ?? "").split("/");
      rows[place]?.[{ arrived_at: "arrived", called_at: "called" }[field] ?? field]?.focus();
    }
  });
  const more = () => { rows.push(row(plan)); list.append(rows.at(-1).shown); };
  return form(submit, labelled("why", why), list, button({ onclick: more }, t("paper-more")), fault,
    h("button.primary", {}, t("paper-enter")));
}
