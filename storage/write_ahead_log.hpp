#pragma once

#include <cstdint>
#include <filesystem>

/// What RocksDB does not tell: how its write-ahead log ends. It takes a record whose length was
/// damaged for the torn end of the log, and drops what stands behind it without a word.
namespace jackfield::storage {

enum class log_state : uint8_t {
  whole,
  torn,    ///< ends within a record, as a crash leaves it
  damaged, ///< a record cannot be read though others stand behind it, or its checksum is wrong
};

/// Reads one log file, a block at a time (the format: RocksDB's wiki, "Write Ahead Log File
/// Format"). A file that is gone is whole: what it held is elsewhere.
[[nodiscard]] log_state state_of_log(const std::filesystem::path& file);

/// Of all logs in a store's directory: damaged if one is, torn if the last is that holds anything.
/// An older one may still lie there torn, if that was mended and a crash came before it was
/// removed.
[[nodiscard]] log_state state_of_logs(const std::filesystem::path& directory);

} // namespace jackfield::storage
