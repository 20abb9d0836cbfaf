#include "storage/memory_store.hpp"

namespace jackfield::storage {

memory_store::memory_store(const memory_store& other)
    : store(), now_(other.now_), on_disk_(other.on_disk_), failing_(other.failing_),
      writes_(other.writes_), durable_writes_(other.durable_writes_) {
  // nop
}

outcome<void> memory_store::write(const batch& writes, durability how) {
  if (failing_)
    return tl::unexpected{*failing_};
  for (const auto& entry : writes.entries()) {
    auto& space = now_.at(static_cast<size_t>(entry.space));
    if (entry.erase)
      space.erase(entry.key);
    else
      space.insert_or_assign(entry.key, entry.value);
  }
  ++writes_;
  if (how == durability::durable) {
    ++durable_writes_;
    on_disk_ = now_;
  }
  return {};
}

outcome<std::optional<std::string>> memory_store::read(keyspace space, std::string_view key) const {
  const auto& all = now_.at(static_cast<size_t>(space));
  const auto found = all.find(key);
  if (found == all.end())
    return std::nullopt;
  return found->second;
}

outcome<void> memory_store::scan(keyspace space, std::string_view first, std::string_view end,
                                 const visitor& visit) const {
  const auto seen = now_.at(static_cast<size_t>(space)); // the visitor may write
  for (auto at = seen.lower_bound(first); at != seen.end(); ++at)
    if ((!end.empty() && at->first >= end) || !visit(at->first, at->second))
      break;
  return {};
}

outcome<std::optional<std::string>> memory_store::last_key(keyspace space) const {
  const auto& all = now_.at(static_cast<size_t>(space));
  if (all.empty())
    return std::nullopt;
  return all.rbegin()->first;
}

void memory_store::lose(crash what) {
  if (what == crash::power)
    now_ = on_disk_;
  failing_.reset();
}

} // namespace jackfield::storage
