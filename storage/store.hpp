#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/error/error.hpp"
#include "storage/fault.hpp"

namespace jackfield::storage {

/// What a store keeps, by how long it lives: a keyspace is a column family of RocksDB. Keys and
/// values: FORMAT.md.
enum class keyspace : uint8_t {
  meta,          ///< of the store itself; for ever
  runs,          ///< one record a run of a command; for ever
  calls,         ///< calls under way; from before their INVITE until their end
  registrations, ///< users and bindings; until they expire
  events,        ///< what happened, by sequence number; until trimmed
};
inline constexpr size_t keyspaces = 5;

/// The name of its column family.
[[nodiscard]] std::string_view name_of(keyspace space) noexcept;

/// How long a write that was acknowledged lasts.
enum class durability : uint8_t {
  async,   ///< survives the end of the process, `kill -9` too
  durable, ///< survives the loss of power
};

/// Writes that take effect together or not at all, in their order.
class batch {
public:
  struct entry {
    keyspace space;
    bool erase; ///< else put
    std::string key;
    std::string value;
  };

  void put(keyspace space, std::string key, std::string value) {
    bytes_ += key.size() + value.size();
    entries_.push_back({space, false, std::move(key), std::move(value)});
  }
  void erase(keyspace space, std::string key) {
    bytes_ += key.size();
    entries_.push_back({space, true, std::move(key), {}});
  }
  /// Of keys and values.
  [[nodiscard]] size_t bytes() const noexcept { return bytes_; }
  [[nodiscard]] bool empty() const noexcept { return entries_.empty(); }
  [[nodiscard]] const std::vector<entry>& entries() const noexcept { return entries_; }
  void append(batch&& other);

private:
  std::vector<entry> entries_;
  size_t bytes_ = 0;
};

/// A value of a store, or why there is none. Like `result`, with a fault that has a code.
template <class T>
using outcome = tl::expected<T, fault>;

/// Where state is kept. One thread at a time writes; any may read meanwhile. Nothing that was
/// acknowledged is lost, or the loss is reported by a `fault`.
class store {
public:
  store() = default;
  virtual ~store() = default;
  store(const store&) = delete;
  store& operator=(const store&) = delete;

  /// Returns once the batch is as durable as was asked. Fails: none of it is in the store, now or
  /// after a crash... unless the disk lies; the same batch may be written again later.
  virtual outcome<void> write(const batch& writes, durability how) = 0;
  [[nodiscard]] virtual outcome<std::optional<std::string>> read(keyspace space,
                                                                 std::string_view key) const = 0;

  /// Returns false to stop.
  using visitor = std::function<bool(std::string_view key, std::string_view value)>;
  /// Visits, in the order of their bytes, all keys from `first` on and before `end` (empty: to the
  /// last). Sees the store as it was when it began.
  virtual outcome<void> scan(keyspace space, std::string_view first, std::string_view end,
                             const visitor& visit) const = 0;
  /// The last key of a keyspace; nothing if that is empty.
  [[nodiscard]] virtual outcome<std::optional<std::string>> last_key(keyspace space) const = 0;
};

} // namespace jackfield::storage
