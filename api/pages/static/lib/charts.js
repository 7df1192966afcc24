// Today's charts, drawn by the node. They are fetched, not linked: an image cannot carry a token.
import { read } from "./api.js";
import { h, show } from "./dom.js";
import { language, t } from "./words.js";

const CHARTS = ["wait", "distribution", "services", "counters"];
const RENEW_MS = 60_000;

export function chartSection(path) {
  const pictures = h("div.charts");
  const section = h("details.card.wide", { open: localStorage.getItem("charts") === "open" }, h("summary", {}, h("h2", {}, t("charts"))), pictures);
  async function renew() {
    if (!section.open) return;
    const drawn = await Promise.all(CHARTS.map((name) => read(`${path}/charts/${name}.svg?language=${language}`).catch(() => null)));
    show(pictures, CHARTS.map((name, place) => (drawn[place] ? h("img", { src: drawn[place], alt: t(`chart-${name}`), class: "chart" }) : h("p.soft", {}, t("no-chart")))));
  }
  section.addEventListener("toggle", () => { localStorage.setItem("charts", section.open ? "open" : "closed"); renew(); });
  setInterval(renew, RENEW_MS);
  renew();
  return section;
}
