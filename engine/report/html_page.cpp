#include "engine/report/html_page.hpp"

namespace jackfield::report {

namespace {

// Each element is closed, as XML has it, too.
constexpr std::string_view head = R"html(<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8"/>
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"/>
<meta name="viewport" content="width=device-width, initial-scale=1"/>
<meta name="color-scheme" content="light dark"/>
<meta name="referrer" content="no-referrer"/>
)html";

constexpr std::string_view style = R"html(<style>
:root { --page:#f4f5f7; --card:#fff; --ink:#1b1f24; --soft:#5b6572; --rule:#dfe3e8; --grid:#eceff2;
  --good:#177245; --good-back:#dff3e7; --bad:#b3261e; --bad-back:#fbe4e2;
  --c1:#2563c9; --c2:#8a94a3; --c3:#1b8f5a; --c4:#c8372d; --c5:#b7791f; --c6:#7a4fc0; --mark:#e3ecfb; }
@media screen and (prefers-color-scheme: dark) {
  :root { --page:#14171b; --card:#1d2127; --ink:#e6e9ed; --soft:#98a2af; --rule:#323943; --grid:#272d35;
    --good:#6fd6a0; --good-back:#173826; --bad:#ff8a80; --bad-back:#45201d;
    --c1:#6ea4ff; --c2:#8d97a6; --c3:#4fc98d; --c4:#ff7468; --c5:#e3b04f; --c6:#b694f5; --mark:#26385a; }
}
* { box-sizing:border-box; }
body { margin:0; background:var(--page); color:var(--ink);
  font:15px/1.45 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif; }
main { max-width:1240px; margin:0 auto; padding:28px 20px 48px; }
header { display:flex; flex-wrap:wrap; align-items:center; gap:6px 16px; margin-bottom:18px; }
h1 { font-size:24px; margin:0; letter-spacing:-.01em; }
h2 { font-size:17px; margin:34px 0 12px; }
h3 { font-size:14px; margin:0; font-weight:600; }
h3 small { font-weight:400; color:var(--soft); }
.badge { padding:3px 12px; border-radius:999px; font-weight:700; font-size:13px; letter-spacing:.04em; }
.good { color:var(--good); } .bad { color:var(--bad); }
.badge.good { background:var(--good-back); } .badge.bad { background:var(--bad-back); }
.about { flex-basis:100%; color:var(--soft); overflow-wrap:anywhere; }
.note { border-radius:10px; padding:12px 16px; margin:0 0 16px; background:var(--card); border:1px solid var(--rule); }
.note.bad { background:var(--bad-back); border-color:transparent; color:inherit; }
.note strong { color:var(--bad); } .note ul { margin:4px 0 0; padding-left:20px; }
.tiles { display:grid; grid-template-columns:repeat(auto-fit,minmax(142px,1fr)); gap:12px; }
.tile { background:var(--card); border:1px solid var(--rule); border-radius:10px; padding:12px 14px; }
.tile b { display:block; font-size:22px; font-weight:650; font-variant-numeric:tabular-nums; line-height:1.25; }
.tile span { color:var(--soft); font-size:13px; }
.grid { display:grid; grid-template-columns:repeat(auto-fit,minmax(min(100%,440px),1fr)); gap:14px; align-items:start; }
.columns { columns:2 440px; column-gap:14px; }
.columns > .card { break-inside:avoid; margin-bottom:14px; }
figure, .card { background:var(--card); border:1px solid var(--rule); border-radius:10px; padding:14px 16px; margin:0; min-width:0; }
figcaption { display:flex; flex-wrap:wrap; justify-content:space-between; gap:4px 16px; margin-bottom:8px; }
.legend { list-style:none; display:flex; flex-wrap:wrap; gap:2px 14px; margin:0; padding:0; font-size:13px; color:var(--soft); }
.legend li::before { content:""; display:inline-block; width:12px; height:3px; border-radius:2px; margin-right:6px; vertical-align:middle; background:var(--stroke); }
.c1 { --stroke:var(--c1); } .c2 { --stroke:var(--c2); } .c3 { --stroke:var(--c3); }
.c4 { --stroke:var(--c4); } .c5 { --stroke:var(--c5); } .c6 { --stroke:var(--c6); }
svg { display:block; width:100%; height:auto; }
svg text { font-size:11.5px; fill:var(--soft); font-variant-numeric:tabular-nums; }
.axis { stroke:var(--rule); } .tick { stroke:var(--grid); }
.line { fill:none; stroke:var(--stroke); stroke-width:1.8; stroke-linejoin:round; stroke-linecap:round; }
.line.c2 { stroke-width:5; stroke-opacity:.4; }
.bar { fill:var(--c1); }
.at rect:not(.bar) { fill:transparent; } .at line { stroke:transparent; }
.at:hover line { stroke:var(--soft); } .at:hover .bar { fill:var(--c6); }
.under { fill:none; stroke:var(--card); stroke-width:5; }
.line.dashes { stroke-dasharray:5 4; } .dot, .bars { fill:var(--stroke); }
.error { fill:none; stroke:var(--stroke); stroke-width:1.2; } .marked { fill:var(--mark); }
.missed { fill:var(--card); stroke:var(--c4); stroke-width:1.8; stroke-linejoin:round; }
.bound { stroke:var(--ink); stroke-dasharray:2 3; }
svg .halo { fill:var(--ink); paint-order:stroke; stroke:var(--card); stroke-width:4px; stroke-linejoin:round; }
figure.wide svg text { font-size:12.5px; }
.legend li.bars::before { width:10px; height:10px; }
.legend li.dashes::before { background:repeating-linear-gradient(90deg,var(--stroke) 0 4px,transparent 4px 6px); width:16px; }
.legend li.missed::before { content:"\25BD"; width:auto; height:auto; background:none; color:var(--c4); font-weight:700; }
.nothing { color:var(--soft); margin:24px 0; text-align:center; }
.scroll { overflow-x:auto; }
table { border-collapse:collapse; width:100%; font-size:14px; font-variant-numeric:tabular-nums; }
th, td { text-align:right; padding:5px 7px; border-bottom:1px solid var(--rule); white-space:nowrap; }
tr:last-child td, tr:last-child th { border-bottom:0; }
thead th { color:var(--soft); font-weight:500; font-size:13px; border-bottom:1px solid var(--rule); }
th:first-child, td:first-child { text-align:left; padding-left:0; } th:last-child, td:last-child { padding-right:0; }
td:last-child { white-space:normal; }
td small { color:var(--soft); }
.card h3 { margin-bottom:8px; }
footer { margin-top:30px; color:var(--soft); font-size:13px; overflow-wrap:anywhere; }
code { font:13px/1.4 ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace; }
.plots { display:grid; grid-template-columns:repeat(auto-fill,minmax(min(100%,320px),1fr)); gap:14px; }
.plots + .plots { margin-top:14px; } .plots.wide { grid-template-columns:repeat(auto-fit,minmax(min(100%,480px),1fr)); }
.scroll th:first-child, .scroll td:first-child { position:sticky; left:0; background:var(--card); padding-right:12px; }
.scroll tr.chosen td { background:var(--mark); }
.plots figcaption { display:block; } .plots .legend { margin-top:2px; }
.stack td:last-child { white-space:nowrap; }
.stack td:first-child { white-space:normal; overflow-wrap:break-word; max-width:45vw; } .stack > .card { margin-top:14px; }
dl { display:grid; grid-template-columns:minmax(120px,max-content) 1fr; gap:6px 18px; margin:0; }
dt { font-weight:600; } dd { margin:0; overflow-wrap:anywhere; }
@media (max-width:640px) { main { padding:18px 12px 36px; } dl { grid-template-columns:1fr; gap:0; } dd { margin-bottom:8px; }
  figure.wide svg text { font-size:19px; } }
@media print { body { background:#fff; } main { padding:0; } .scroll { overflow:visible; }
  table { font-size:11px; } thead th { font-size:10px; } th, td { padding:2px 4px; } thead { display:table-header-group; } tr { break-inside:avoid; }
  .plots { grid-template-columns:repeat(3,1fr); } .plots.wide { grid-template-columns:repeat(2,1fr); }
  .plots svg text { font-size:13px; } figure.wide svg text { font-size:17px; } h2, h3 { break-after:avoid; } figure, .card, .tile { break-inside:avoid; } }
</style>
</head>
<body>
<main>
)html";

constexpr std::string_view tail = "</main>\n</body>\n</html>\n";

} // namespace

html_page::html_page(std::string_view title) {
  raw(head);
  put("<title>{}</title>\n", title);
  raw(style);
}

void html_page::tile(std::string_view figure, std::string_view name) {
  put("<div class=\"tile\"><b>{}</b><span>{}</span></div>\n", figure, name);
}

void html_page::begin_table(std::string_view title, std::span<const std::string_view> columns) {
  raw("<section class=\"card\">");
  if (!title.empty())
    put("<h3>{}</h3>", title);
  raw("<div class=\"scroll\"><table>");
  if (!columns.empty()) {
    raw("<thead><tr>");
    for (const auto column : columns)
      put("<th scope=\"col\">{}</th>", column);
    raw("</tr></thead>");
  }
  raw("<tbody>\n");
}

void html_page::table_row(std::span<const std::string> cells) {
  raw("<tr>");
  put_cells(cells);
}

void html_page::chosen_row(std::span<const std::string> cells) {
  raw("<tr class=\"chosen\">");
  put_cells(cells);
}

void html_page::put_cells(std::span<const std::string> cells) {
  for (const auto& cell : cells)
    put("<td>{}</td>", cell);
  raw("</tr>\n");
}

void html_page::end_table() {
  raw("</tbody></table></div></section>\n");
}

std::string html_page::take() && {
  raw(tail);
  return std::move(out_);
}

std::string named(std::string_view name, std::string_view meaning) {
  return fmt::format("{} <small>{}</small>", name, meaning);
}

} // namespace jackfield::report
