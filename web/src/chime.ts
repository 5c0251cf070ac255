/** A short sound when something is announced: silent until the user has turned it on. */

import { signal } from "@preact/signals";
import { recall, remember } from "./i18n.ts";

const STORED = "anlan.sound";
export const sound = signal(recall(STORED) === "on");
let audio: AudioContext | null = null;

export function toggleSound(): void {
  sound.value = !sound.value;
  remember(STORED, sound.value ? "on" : "off");
  chime(); // so that one hears what one has turned on
}

/** Two soft notes. */
export function chime(): void {
  if (!sound.value) return;
  audio ??= new AudioContext();
  const begin = audio.currentTime;
  [660, 880].forEach((pitch, k) => {
    const at = begin + 0.18 * k;
    const [tone, volume] = [audio!.createOscillator(), audio!.createGain()];
    tone.frequency.value = pitch;
    volume.gain.setValueAtTime(0, at);
    volume.gain.linearRampToValueAtTime(0.12, at + 0.02);
    volume.gain.exponentialRampToValueAtTime(0.001, at + 0.4);
    tone.connect(volume).connect(audio!.destination);
    tone.start(at);
    tone.stop(at + 0.45);
  });
}
