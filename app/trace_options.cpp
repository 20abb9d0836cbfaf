#include "app/trace_options.hpp"

#include <cstdio>

#include <CLI/CLI.hpp>

namespace jackfield::app {

namespace {

/// "500000", "200K", "100M", "4G": powers of 1024.
result<uint64_t> read_bytes(std::string_view place, std::string_view text) {
  unsigned shift = 0;
  if (!text.empty()) {
    const char unit = text.back();
    shift = unit == 'K' ? 10 : unit == 'M' ? 20 : unit == 'G' ? 30 : 0;
  }
  if (shift != 0)
    text.remove_suffix(1);
  constexpr uint64_t most = uint64_t{1} << 40U;
  auto number = option_reader::whole<uint64_t>(place, text, 1, most >> shift);
  if (!number)
    return fail(std::string{place}, number.error().cause + ", or with K, M or G behind it");
  return *number << shift;
}

} // namespace

void declare_trace(CLI::App& app, trace_texts& t, trace_options& o, const std::string& group) {
  app
    .add_option("--trace", o.file,
                "SIP messages of failed calls, as text, secrets blanked: below a line "
                "=== call CALL-ID failed: CAUSE each message, below a line "
                "--- TIME +SECONDS UDP OURS -> PEER lane 0, 432 bytes (-> sent, <- received)")
    ->group(group);
  app.add_flag("--trace-all", o.all, "with --trace: messages of all calls, as they come")
    ->group(group);
  app.add_option("--trace-limit", t.limit, "bytes after which the trace ends: 500M, 2G (1G)")
    ->group(group);
}

void read_trace(option_reader& r, const trace_texts& t, trace_options& o) {
  r.read(t.limit, o.limit, [](std::string_view s) { return read_bytes("--trace-limit", s); });
  r.check(o.file != "-", "--trace", "goes to a file, expected its name");
  r.check(!o.all || !o.file.empty(), "--trace-all", "says what is traced, expected --trace FILE");
  r.check(t.limit.empty() || !o.file.empty(), "--trace-limit",
          "says how much is traced, expected --trace FILE");
}

void open_trace::tell_failure() const {
  if (!file)
    return;
  if (const auto why = file->take_failure())
    std::fprintf(stderr, "%s: the trace ends here\n", why->to_string().c_str());
}

void open_trace::close() const {
  if (!file)
    return;
  file->close();
  tell_failure();
}

result<open_trace> start_trace(const trace_options& o) {
  open_trace out;
  if (o.file.empty())
    return out;
  auto file = trace_file::create(o.file, o.limit);
  if (!file)
    return tl::unexpected{std::move(file.error())};
  out.file = std::move(*file);
  auto settings = std::make_shared<trace_settings>();
  settings->outlet = out.file;
  settings->all = o.all;
  out.settings = std::move(settings);
  return out;
}

} // namespace jackfield::app
