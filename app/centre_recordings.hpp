#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace jackfield::app {

// The recordings of a directory, as the API shows them: files that are whole, `ID.opus`.

struct recording_file {
  std::string id;
  uint64_t bytes = 0;
};

struct recordings_page {
  std::vector<recording_file> files; ///< by their ids, which begin with the time
  bool more = false;
};

/// Those that come after the id `after`; `limit` at most, which is at least 1. Reads the
/// directory's names.
[[nodiscard]] recordings_page recordings_in(const std::string& directory, const std::string& after,
                                            size_t limit);

/// Of one recording; nothing: there is none of this id, which may be anything at all, or it is too
/// long to be sent (256 MiB, half a day).
[[nodiscard]] std::optional<std::string> read_recording(const std::string& directory,
                                                        const std::string& id);

/// How many packets recordings lack, as the events of the last ones told. From any thread.
class recording_losses {
public:
  static constexpr size_t most = 10'000;

  /// `line`: the event of a recording that is over.
  void take(const std::string& line);
  /// Nothing: that is not known any more, or not yet.
  [[nodiscard]] std::optional<uint64_t> of(const std::string& id) const;

private:
  mutable std::mutex mutex_;
  std::unordered_map<std::string, uint64_t> known_; // by id
  std::deque<std::string> order_;
};

/// {"id":"...","call":"...","began_at":"...","bytes":N,"packets_left_out":N}
[[nodiscard]] std::string recording_json(const recording_file& file,
                                         std::optional<uint64_t> left_out);

} // namespace jackfield::app
