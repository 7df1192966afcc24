// The way in: every hall of this node and its pages.
import { read } from "./lib/api.js";
import { h, show } from "./lib/dom.js";
import { begin, root } from "./lib/page.js";
import { languageSwitch, named, t } from "./lib/words.js";

const PAGES = ["display", "kiosk", "desk", "board", "join", "plan"];

begin("home", async () => {
  const halls = (await read("/v1/halls")).items;
  const plans = await Promise.all(halls.map((hall) => read(`/v1/halls/${hall.id}`)));
  show(root, h("header", { class: "head" }, h("h1", {}, t("title-home")), languageSwitch()),
    h("div", { class: "body" }, halls.length === 0 ? h("p", { class: "notice" }, t("no-halls")) : null, plans.map((plan) => h("section", { class: "card stack", "aria-label": named(plan) }, h("div", { class: "spread" }, h("h2", {}, named(plan)), h("a", { class: "small", href: `/qr/join/${plan.id}.svg` }, t("poster"))),
      h("div", { class: "row" }, PAGES.map((page) => h("a", { class: page === "display" ? "button primary" : "button", href: `/${page}/${plan.id}` }, t(`title-${page}`)))),
      h("h3", {}, t("counters")), h("div", { class: "row" }, plan.counters.map((counter) => h("a", { class: "button", href: `/counter/${plan.id}/${counter.id}` }, named(counter)))))),
      h("p", { class: "row small" }, h("a", { href: "/docs" }, t("api-docs")), h("a", { href: "/metrics" }, t("metrics")))));
});
