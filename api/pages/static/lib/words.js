// Languages: every visible word comes from words/<language>.json; names of halls and services from the plan.

const KNOWN = ["zh-CN", "en"];
let words = {};
export let language = "zh-CN";

export function preferred(offered = KNOWN) {
  const asked = new URLSearchParams(location.search).get("lang") ?? sessionStorage.getItem("language");
  const wanted = [asked, ...navigator.languages].filter(Boolean);
  const fits = (one) => KNOWN.find((name) => name === one || name.split("-")[0] === one.split("-")[0]);
  return wanted.map(fits).find((one) => one && offered.includes(one)) ?? offered.find((one) => KNOWN.includes(one)) ?? KNOWN[0];
}

export async function speak(chosen) {
  const answer = await fetch(`/pages/words/${chosen}.json`);
  words = await answer.json();
  language = chosen;
  document.documentElement.lang = chosen;
  sessionStorage.setItem("language", chosen);
}

// `t("people-ahead", {count: 3})`: the word, its {places} filled in; numbers are written as the language does.
export function t(name, values = {}) {
  const word = words[name];
  if (word === undefined) throw new Error(`no word "${name}" in ${language}`);
  return word.replace(/\{(\w+)\}/g, (_, place) => {
    const value = values[place];
    return typeof value === "number" ? new Intl.NumberFormat(language).format(value) : String(value ?? "");
  });
}

export const has = (name) => name in words;

// A thing of the plan in the language at hand: `names` by language, else its own name.
export function named(thing, wanted = language) {
  if (!thing) return "";
  const names = thing.names ?? {};
  return names[wanted] ?? names[wanted.split("-")[0]] ?? thing.name;
}

export function clock(at, zone, seconds = false) {
  const parts = { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: zone };
  return new Intl.DateTimeFormat(language, seconds ? { ...parts, second: "2-digit" } : parts).format(new Date(at));
}

export function date(at, zone) {
  return new Intl.DateTimeFormat(language, { month: "long", day: "numeric", weekday: "long", timeZone: zone }).format(new Date(at));
}

export function span(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  const minutes = Math.floor(whole / 60);
  if (minutes >= 60) return `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, "0")}:${String(whole % 60).padStart(2, "0")}`;
  return `${minutes}:${String(whole % 60).padStart(2, "0")}`;
}

export const minutes = (seconds) => t("minutes", { count: Math.max(1, Math.round(seconds / 60)) });

// An expected wait as visitors are told it; null where nothing is known.
export function likely(estimate) {
  if (estimate?.to_s === undefined || estimate.to_s === null) return null;
  if (estimate.to_s <= 60) return t("at-once");
  const [from, to] = [estimate.from_s, estimate.to_s].map((one) => Math.max(1, Math.round(one / 60)));
  return from === to ? t("about", { time: minutes(estimate.to_s) }) : t("range", { from, to });
}

// A long time in round numbers.
export const lasting = (seconds) => (seconds < 3600 ? minutes(seconds) : t("hours", { count: Math.round(seconds / 360) / 10 }));

export function languageSwitch() {
  const other = language === "en" ? "zh-CN" : "en";
  const button = document.createElement("button");
  Object.assign(button, { type: "button", className: "quiet", lang: other, textContent: t("other-language") });
  button.addEventListener("click", () => {
    sessionStorage.setItem("language", other);
    const url = new URL(location.href);
    url.searchParams.delete("lang");
    location.replace(url);
    if (!location.search.includes("lang=")) location.reload();
  });
  return button;
}
