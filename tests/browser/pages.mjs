// Serves a page for each SIP library, with the library bundled into it.

import { once } from "node:events";
import http from "node:http";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = fileURLToPath(new URL(".", import.meta.url));

const html = (script) => `<!doctype html>
<meta charset="utf-8">
<link rel="icon" href="data:,">
<audio autoplay></audio>
<script src="${script}"></script>
`;

// Pages /NAME, one for each pages/NAME.js of `names`, from a port of 127.0.0.1: there, a page counts as
// secure and may use the microphone.
export async function servePages(names) {
  const files = new Map();
  for (const name of names) {
    files.set(`/${name}`, { type: "text/html", body: html(`/${name}.js`) });
    files.set(`/${name}.js`, { type: "text/javascript", body: await bundle(name) });
  }
  const server = http.createServer((request, response) => {
    const file = files.get(new URL(request.url, "http://127.0.0.1").pathname);
    response.writeHead(file ? 200 : 404, { "Content-Type": file?.type ?? "text/plain" });
    response.end(file?.body);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    origin: `http://127.0.0.1:${server.address().port}`,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

async function bundle(name) {
  const { outputFiles } = await build({
    entryPoints: [path.join(here, "pages", `${name}.js`)],
    bundle: true,
    format: "iife",
    define: { global: "window" },
    logLevel: "warning",
    write: false,
  });
  return outputFiles[0].text;
}
