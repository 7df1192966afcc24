// The browser's voice, else recorded words, and a chime. A node's operator allows sound in the browser once (see
// docs/pages.md).
import { Clips } from "./clips.js";

const CHIME_HZ = [880, 660];
const CHIME_S = 0.35;
const MOST_MS = 12_000; // some voices never say that they have ended

export class Voice {
  constructor() {
    this.audio = null;
    this.synthesis = window.speechSynthesis ?? null;
    this.clips = new Clips();
  }

  // With what a call is spoken in Chinese: speech, clips or none.
  kindFor(call) {
    if (this.#voice("zh")) return "speech";
    return this.clips.of(call, "zh-CN") ? "clips" : "none";
  }

  #voice(language) {
    return this.synthesis?.getVoices().find((one) => one.lang.replace("_", "-").startsWith(language.slice(0, 2)));
  }

  say(part) {
    return part.chime ? this.#chime() : this.#read(part);
  }

  async #chime() {
    this.audio ??= new AudioContext();
    if (this.audio.state !== "running") return; // not allowed yet
    CHIME_HZ.forEach((hz, place) => {
      const tone = this.audio.createOscillator(), volume = this.audio.createGain();
      const from = this.audio.currentTime + place * CHIME_S;
      tone.frequency.value = hz;
      volume.gain.setValueAtTime(0.25, from);
      volume.gain.exponentialRampToValueAtTime(0.001, from + CHIME_S);
      tone.connect(volume).connect(this.audio.destination);
      tone.start(from);
      tone.stop(from + CHIME_S);
    });
    await new Promise((resolve) => setTimeout(resolve, CHIME_HZ.length * CHIME_S * 1000));
  }

  async #read({ language, text, call }) {
    const voice = this.#voice(language);
    if (!voice) {
      await this.clips.ready;
      return this.clips.play(this.clips.of(call, language) ?? []);
    }
    return new Promise((resolve) => {
      const spoken = new SpeechSynthesisUtterance(text);
      Object.assign(spoken, { voice, lang: language, rate: 0.95 });
      const over = setTimeout(() => { this.synthesis.cancel(); resolve(); }, MOST_MS);
      spoken.onend = spoken.onerror = () => { clearTimeout(over); resolve(); };
      this.synthesis.speak(spoken);
    });
  }
}
