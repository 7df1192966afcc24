// Taking a ticket by phone, from the code on the poster: what for, one press, and on to the ticket's own page.
import { explain, hallPath, newKey, read, single, tell } from "./lib/api.js";
import { button, h, show, toast } from "./lib/dom.js";
import { begin, fill, indexed, places, root } from "./lib/page.js";
import { language, likely, named, t } from "./lib/words.js";

const [hall] = places;
const LOOK_MS = 10_000;
const KEPT = `ticket-of-${hall}`;

begin("join", async () => {
  let plan = indexed(await read(`${hallPath(hall)}/menu`));
  document.title = `${t("title-join")} · ${named(plan)}`;
  const keys = new Map(); // a wish for each service, until its ticket was shown
  addEventListener("pageshow", (event) => { if (event.persisted) keys.clear(); });
  const take = single(async (service) => {
    if (!keys.has(service.id)) keys.set(service.id, newKey());
    try {
      const ticket = await tell(`${hallPath(hall)}/phone-tickets`, { service: service.id, language }, keys.get(service.id));
      localStorage.setItem(KEPT, ticket.id);
      location.assign(`/t/${ticket.id}`);
    } catch (error) {
      toast(explain(error), "bad");
    }
  });
  const about = (service) => {
    if (service.turned_away) return t("stopped-now");
    return [service.suspended ? t("calls-suspended") : "", t("people-ahead", { count: service.waiting }), likely(service.estimate)].filter(Boolean).join(" · ");
  };
  const bring = (service) => plan.inLanguage(service.bring);
  const tile = (service) => button({ class: "tile", disabled: service.turned_away, onclick: () => take(service) }, h("strong", {}, named(service)), h("span.soft", {}, about(service)),
    bring(service) ? h("span.small", {}, t("bring", { what: bring(service) })) : null);
  const kept = localStorage.getItem(KEPT);
  const list = h("div.stack");
  function draw() {
    const zones = [...plan.zones, null].map((zone) => [zone, plan.services.filter((service) => (service.zone ?? null) === (zone?.id ?? null))]).filter(([, services]) => services.length);
    show(list, zones.map(([zone, services]) => h("section.stack", { "aria-label": zone ? named(zone) : t("services") }, zone ? h("h3", {}, named(zone)) : null, services.map(tile))));
  }
  const fresh = fill(named(plan), null, kept ? h("a.button", { href: `/t/${kept}` }, t("my-last-ticket")) : null, h("h2", {}, t("what-for")), list);
  draw();
  fresh(true);
  setInterval(async () => {
    const found = await read(`${hallPath(hall)}/menu`).catch(() => null);
    fresh(found !== null);
    if (!found || JSON.stringify(found.services) === JSON.stringify(plan.services)) return;
    plan = indexed(found);
    if (!root.contains(document.activeElement)) draw(); // nobody is about to press
  }, LOOK_MS);
});
