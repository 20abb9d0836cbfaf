// Headless Chromium with a microphone that beeps.

import { chromium } from "playwright-core";
import { processTree } from "./processes.mjs";

const flags = [
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-gpu",
  "--disable-quic",
  "--disable-sync",
  "--no-first-run",
  "--ignore-certificate-errors",
  "--use-fake-device-for-media-stream",
  "--use-fake-ui-for-media-stream",
  "--autoplay-policy=no-user-gesture-required",
];

// A browser with a profile of its own in `profile`.
export function launchBrowser(executablePath, profile) {
  return chromium.launchPersistentContext(profile, {
    executablePath,
    headless: true,
    chromiumSandbox: false,
    args: flags,
    timeout: 60_000,
  });
}

// Ends the browser of that profile as a crash of its machine does: nothing says goodbye.
export async function killBrowser(profile) {
  const tree = await processTree(profile);
  if (tree.length === 0) throw new Error(`there is no browser of ${profile}, expected one to kill`);
  for (const { pid } of tree) {
    try {
      process.kill(pid, "SIGKILL");
    } catch (error) {
      if (error.code !== "ESRCH") throw error; // its parent took it along
    }
  }
}
