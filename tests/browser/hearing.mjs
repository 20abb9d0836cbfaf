// What a page hears, judged by samples of its peer connection.

import { poll } from "./wait.mjs";

const flows = (now) => now.dtlsState === "connected" && now.packetsReceived > 50;

// Hears the beep of the microphone come back, and come back again: between beeps there is silence.
export async function hearOneself(sample) {
  const first = await poll(
    10,
    "more than 50 packets over DTLS-SRTP with a beep in them",
    sample,
    (now) => flows(now) && now.energyReceived > 1e-4,
  );
  return poll(
    10,
    "one more beep and a report on what was sent",
    sample,
    (now) =>
      now.energyReceived > 1.3 * first.energyReceived &&
      now.packetsReceived > first.packetsReceived &&
      now.roundTripTime !== undefined,
  );
}

// Hears a tone of so many hertz, going on.
export function hearTone(hertz) {
  return (sample) =>
    poll(
      10,
      `more than 50 packets over DTLS-SRTP with a tone of ${hertz} Hz in them`,
      sample,
      (now) => flows(now) && now.energyReceived > 1e-4 && Math.abs(now.loudestHertz - hertz) < 25,
    );
}

// Hears nothing come for a second. On hold, Chromium may have no stream that comes, and counts anew
// after it.
export function hearNothing(sample) {
  let since;
  const look = async () => {
    const { packetsReceived } = await sample();
    if (!since || since.packetsReceived !== packetsReceived) since = { packetsReceived, at: performance.now() };
    return { packetsReceived, still: performance.now() - since.at };
  };
  return poll(10, "a second without a packet", look, ({ still }) => still > 1000);
}
