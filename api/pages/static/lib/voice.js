// The browser's voice and a chime. A node's operator allows sound in the browser once (see docs/pages.md).

const CHIME_HZ = [880, 660];
const CHIME_S = 0.35;
const MOST_MS = 12_000; // some voices never say that they have ended

export class Voice {
  constructor() {
    this.audio = null;
    this.synthesis = window.speechSynthesis ?? null;
  }

  get isThere() {
    return Boolean(this.synthesis?.getVoices().some((voice) => voice.lang.replace("_", "-").startsWith("zh")));
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

  #read({ language, text }) {
    const voice = this.synthesis?.getVoices().find((one) => one.lang.replace("_", "-").startsWith(language.slice(0, 2)));
    if (!voice) return Promise.resolve();
    return new Promise((resolve) => {
      const spoken = new SpeechSynthesisUtterance(text);
      Object.assign(spoken, { voice, lang: language, rate: 0.95 });
      const over = setTimeout(() => { this.synthesis.cancel(); resolve(); }, MOST_MS);
      spoken.onend = spoken.onerror = () => { clearTimeout(over); resolve(); };
      this.synthesis.speak(spoken);
    });
  }
}
