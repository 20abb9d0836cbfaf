#include "actors/centre/callback_book.hpp"

#include <algorithm>

namespace jackfield {

void callback_book::promise(caf::actor_id call, storage::callback_record what) {
  keep(what);
  promised_.insert_or_assign(call, std::move(what));
}

bool callback_book::has(const std::string& number) const {
  const auto is = [&](const storage::callback_record& one) { return one.number == number; };
  return std::ranges::any_of(promised_, [&](const auto& each) { return is(each.second); }) ||
         std::ranges::any_of(under_way_, [&](const auto& each) { return is(each.second); }) ||
         std::ranges::any_of(later_, [&](const later& each) { return is(each.what); });
}

std::optional<storage::callback_record> callback_book::take(caf::actor_id of) {
  for (auto* const all : {&promised_, &under_way_})
    if (auto found = all->extract(of))
      return std::move(found.mapped());
  return std::nullopt;
}

void callback_book::begin(caf::actor_id callback, storage::callback_record what) {
  under_way_.insert_or_assign(callback, std::move(what));
}

void callback_book::on_attempt(caf::actor_id callback) {
  const auto found = under_way_.find(callback);
  if (found == under_way_.end())
    return;
  ++found->second.attempts;
  found->second.under_way = true;
  keep(found->second);
}

void callback_book::try_later(storage::callback_record what, lane::duration after) {
  what.under_way = false;
  keep(what);
  const auto at = self_.home().now() + after;
  later_.insert(std::ranges::upper_bound(later_, at, {}, &later::at), {at, std::move(what)});
  timer_.arm(later_.front().at);
}

std::vector<storage::callback_record> callback_book::due() {
  std::vector<storage::callback_record> now;
  auto each = later_.begin();
  for (; each != later_.end() && each->at <= self_.home().now(); ++each)
    now.push_back(std::move(each->what));
  later_.erase(later_.begin(), each);
  if (!later_.empty())
    timer_.arm(later_.front().at);
  return now;
}

std::vector<caf::actor_id> callback_book::under_way() const {
  std::vector<caf::actor_id> all;
  for (const auto& [id, what] : under_way_)
    all.push_back(id);
  std::ranges::sort(all); // a simulated run is to be the same each time
  return all;
}

std::vector<storage::callback_record> callback_book::put_off() {
  timer_.cancel();
  std::vector<storage::callback_record> dropped;
  if (recorder_ == nullptr)
    for (auto& each : later_)
      dropped.push_back(std::move(each.what));
  later_.clear();
  return dropped;
}

void callback_book::keep(const storage::callback_record& what) {
  if (recorder_ == nullptr)
    return;
  storage::change c;
  c.writes.put(storage::keyspace::meta, storage::callback_key(what.call_id), storage::pack(what));
  recorder_->write(std::move(c));
}

void callback_book::forget(const storage::callback_record& what) {
  if (recorder_ == nullptr)
    return;
  storage::change c;
  c.writes.erase(storage::keyspace::meta, storage::callback_key(what.call_id));
  recorder_->write(std::move(c));
}

} // namespace jackfield
