#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
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

/// {"id":"...","call":"...","began_at":"...","bytes":N}
[[nodiscard]] std::string recording_json(const recording_file& file);

} // namespace jackfield::app
