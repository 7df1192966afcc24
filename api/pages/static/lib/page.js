// What every page does first: its language, its hall's plan where it may read it, and a mark when it is out of date.
import { Refused, explain, hallPath, read } from "./api.js";
import { button, form, h, labelled, show, write } from "./dom.js";
import { heard } from "./time.js";
import { language, languageSwitch, named, preferred, speak, t } from "./words.js";

export const places = location.pathname.split("/").slice(2).map(decodeURIComponent);
export const root = document.getElementById("page");

// What is said while the stream is late; a kiosk says what to do instead, too.
export function staleMark(advice = "") {
  const mark = h("p.notice.bad.stale.no-print", { role: "alert", hidden: true }, [t("stale"), advice].join(" ").trim());
  return { mark, fresh: (isFresh) => { mark.hidden = isFresh; document.documentElement.dataset.fresh = String(isFresh); } };
}

// The page: a head with `tools`, what it is about, and a mark that is told whether all this is fresh.
export function fill(title, tools, ...body) {
  const stale = staleMark();
  show(root, stale.mark, h("header.head.no-print", {}, title.nodeType ? title : h("h1", {}, title), tools, languageSwitch()), h("div.body", {}, ...body));
  return stale.fresh;
}

export async function begin(name, work) {
  await speak(preferred());
  document.title = t(`title-${name}`);
  try {
    await work();
  } catch (error) {
    const needsToken = error instanceof Refused && error.status === 401;
    show(root, h("div.body", {}, h("div.card.stack", {},
      h("h1", {}, t(`title-${name}`)), h("p", { role: "alert" }, needsToken ? t(name === "join" ? "join-closed" : "needs-token") : explain(error)),
      needsToken ? tokenForm() : button({ onclick: () => location.reload() }, t("again")))));
    if (!(error instanceof Refused)) throw error;
  }
}

function tokenForm() {
  const input = h("input", { type: "password", autocomplete: "off", required: true, name: "token" });
  const take = () => { localStorage.setItem("token", input.value.trim()); location.reload(); };
  return form(take, labelled("token", input), h("button.primary", {}, t("go-on")));
}

// The plan, and by the board's own word the hall's time.
export async function planOf(hall) {
  const [plan, board] = await Promise.all([read(hallPath(hall)), read(`${hallPath(hall)}/board`)]);
  heard(board.as_of);
  return indexed(plan);
}

// Why calls stand still, in words: of the whole hall, or of one service.
export const whyStopped = (plan, one) => (one.service ? t("service-suspended", { service: named(plan.serviceOf[one.service]), reason: one.reason }) : t("hall-suspended", { reason: one.reason }));

export function tellStopped(element, plan, suspended) {
  const text = suspended.map((one) => whyStopped(plan, one)).join(" · ");
  element.hidden = !text;
  write(element, text);
}

// What of a board's suspensions stops a service.
export const stopping = (board, service) => board?.suspended.filter((one) => [undefined, service].includes(one.service)) ?? [];

// A plan, or a visitor's menu, with its parts by their ids.
export function indexed(plan) {
  plan.serviceOf = Object.fromEntries(plan.services.map((service) => [service.id, service]));
  plan.counterOf = Object.fromEntries(plan.counters.map((counter) => [counter.id, counter]));
  plan.counterName = (id, wanted = language) => {
    const counter = plan.counterOf[id];
    if (counter && (counter.names?.[wanted] || wanted === plan.languages[0])) return named(counter, wanted);
    return wanted === "en" ? `counter ${id}` : t("counter-number", { number: id });
  };
  plan.inLanguage = (texts) => texts?.[language] ?? texts?.[plan.languages[0]];
  plan.zoneOf = Object.fromEntries(plan.zones.map((zone) => [zone.id, zone]));
  return plan;
}
