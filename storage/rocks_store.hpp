#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>

#include "storage/store.hpp"

namespace jackfield::storage {

struct rocks_settings {
  /// Of what was written last, in memory, over all keyspaces.
  size_t write_buffer_bytes = size_t{16} << 20U;
  /// Of blocks read.
  size_t cache_bytes = size_t{8} << 20U;
};

/// A store in a directory, by RocksDB. Holds at most the memory of its settings and some fixed
/// megabytes, whatever the store's size.
class rocks_store final : public store {
public:
  /// Opens a store to write to, or makes one where the directory is empty or missing. Of a log that
  /// ends within a record what stands before is kept, and `note()` tells. Any other damage that is
  /// seen is a fault, and nothing is written.
  static outcome<std::unique_ptr<rocks_store>> open(const std::filesystem::path& directory,
                                                    const rocks_settings& settings = {});
  /// Opens a store to read, whether an engine has it or not: it is seen as it was at this moment.
  /// Of one whose log is damaged what stands before the damage is there, and `note()` tells.
  /// Changes nothing in the directory.
  static outcome<std::unique_ptr<rocks_store>> look(const std::filesystem::path& directory);
  /// Has another process opened the store of a directory to write? Not to be asked by a process
  /// that has it open itself: the system would take its lock from it.
  [[nodiscard]] static bool in_use(const std::filesystem::path& directory) noexcept;
  ~rocks_store() override;

  outcome<void> write(const batch& writes, durability how) override;
  [[nodiscard]] outcome<std::optional<std::string>> read(keyspace space,
                                                         std::string_view key) const override;
  outcome<void> scan(keyspace space, std::string_view first, std::string_view end,
                     const visitor& visit) const override;
  [[nodiscard]] outcome<std::optional<std::string>> last_key(keyspace space) const override;

  /// What was found and mended when it was opened, for the user; empty: nothing.
  [[nodiscard]] const std::string& note() const noexcept;
  /// Reads every file whole and compares its checksums.
  [[nodiscard]] outcome<void> verify_checksums() const;
  /// Gives back the space of what was erased. Of a store that was opened to write.
  outcome<void> compact();

private:
  struct parts;
  explicit rocks_store(std::unique_ptr<parts> p);
  std::unique_ptr<parts> parts_;
};

/// Copies all that `from` holds into a new store in an empty or missing directory: durable when it
/// returns, and the same in content.
outcome<void> copy_store(const store& from, const std::filesystem::path& directory);

} // namespace jackfield::storage
