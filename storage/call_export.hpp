#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/store.hpp"

namespace jackfield::storage {

/// Takes whole lines, some at a time; false: no more of them, please.
using line_sink = std::function<bool(std::string_view lines)>;

enum class line_format : uint8_t {
  json_lines, ///< an object a line; what did not happen is null
  csv,        ///< RFC 4180 with a header; what did not happen is empty
};

/// Writes the finished calls whose sequence number is `from` or higher, in that order, with the
/// fields seq, id, call_id, attempt, started, answered, ended, cause, from, to, direction, status,
/// and of a call to a contact centre's queue, else nothing, queue, agent, waited, talked (seconds)
/// and left: as `queueing_record`.
/// Times are ISO 8601 in UTC with milliseconds. `id` is `call_key::text()`, and so is `attempt`,
/// which incoming calls have none of; `cause` is "completed" where the call was; `direction` is
/// "outgoing" or "incoming". Text is UTF-8: JSON's as `report::append_json_string` has it, CSV's as
/// `report::escape_terminal`.
///
/// Holds some kilobytes, whatever the store's size. A record that cannot be read is left out; the
/// others are written before the call fails with what it was.
outcome<void> export_calls(const store& s, uint64_t from, line_format format,
                           const line_sink& sink);

/// Finished calls behind one, a page at a time.
struct calls_page {
  std::vector<std::string> calls; ///< each as `export_calls` has it, without the line's end
  uint64_t last = 0;              ///< the sequence number to go on behind
  bool more = false;              ///< there may be others behind it
};
/// Those whose sequence number is higher than `after`: at most `limit` of them, and of at most
/// `most_looked_at` events. Fails at a record that cannot be read.
[[nodiscard]] outcome<calls_page> read_calls(const store& s, uint64_t after, size_t limit,
                                             size_t most_looked_at = 100'000);

/// Writes all events whose sequence number is `from` or higher as JSON lines: seq, at, event
/// ("call_ended" with what follows seq in a call's line, "run_started" with run, "run_ended" with
/// run and by, "run_resumed" with run, "run_progress" with run, lane, next, missed_by_limit and
/// missed_by_generator, or "unknown" for what a later version wrote). Fails as `export_calls` does.
outcome<void> export_events(const store& s, uint64_t from, const line_sink& sink);

} // namespace jackfield::storage
