#pragma once

#include <array>
#include <map>
#include <string>
#include <string_view>

#include "storage/store.hpp"

namespace jackfield::storage {

/// A store in memory in which a crash keeps exactly what was committed: for simulated lanes. One
/// thread.
class memory_store final : public store {
public:
  /// What ends: the process alone, or the machine with it.
  enum class crash : uint8_t { process, power };

  memory_store() = default;
  /// As a disk is copied: for who wants to see what another engine would find.
  memory_store(const memory_store& other);
  memory_store& operator=(const memory_store&) = delete;

  outcome<void> write(const batch& writes, durability how) override;
  [[nodiscard]] outcome<std::optional<std::string>> read(keyspace space,
                                                         std::string_view key) const override;
  outcome<void> scan(keyspace space, std::string_view first, std::string_view end,
                     const visitor& visit) const override;
  [[nodiscard]] outcome<std::optional<std::string>> last_key(keyspace space) const override;

  /// What is left after it: all batches, or those up to the last durable one (a log is one
  /// sequence: syncing it syncs what stands before).
  void lose(crash what);
  /// Until told otherwise, every write fails so; nothing: they succeed.
  void fail_writes(std::optional<fault> how) { failing_ = std::move(how); }

  [[nodiscard]] size_t writes() const noexcept { return writes_; }
  [[nodiscard]] size_t durable_writes() const noexcept { return durable_writes_; }

private:
  using content = std::map<std::string, std::string, std::less<>>;
  std::array<content, keyspaces> now_;
  std::array<content, keyspaces> on_disk_; ///< as of the last durable write
  std::optional<fault> failing_;
  size_t writes_ = 0;
  size_t durable_writes_ = 0;
};

} // namespace jackfield::storage
