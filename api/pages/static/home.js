// The way in: every hall of this node and its pages.
import { read } from "./lib/api.js";
import { h } from "./lib/dom.js";
import { begin, fill } from "./lib/page.js";
import { named, t } from "./lib/words.js";

const PAGES = ["display", "kiosk", "desk", "board", "join", "plan"];

begin("home", async () => {
  const halls = (await read("/v1/halls")).items;
  const plans = await Promise.all(halls.map((hall) => read(`/v1/halls/${hall.id}`)));
  fill(t("title-home"), null, halls.length === 0 ? h("p.notice", {}, t("no-halls")) : null, plans.map((plan) => h("section.card.stack", { "aria-label": named(plan) }, h("div.spread", {}, h("h2", {}, named(plan)), h("a.small", { href: `/qr/join/${plan.id}.svg` }, t("poster"))),
      h("div.row", {}, PAGES.map((page) => h("a", { class: page === "display" ? "button primary" : "button", href: `/${page}/${plan.id}` }, t(`title-${page}`)))),
      h("h3", {}, t("counters")), h("div.row", {}, plan.counters.map((counter) => h("a.button", { href: `/counter/${plan.id}/${counter.id}` }, named(counter)))))),
      h("p.row.small", {}, h("a", { href: "/docs" }, t("api-docs")), h("a", { href: "/metrics" }, t("metrics"))));
});
