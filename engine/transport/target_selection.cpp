#include "engine/transport/target_selection.hpp"

#include <algorithm>
#include <array>

namespace jackfield::transport {

namespace {

struct service_name {
  std::string_view text;
  transport::protocol protocol;
};

// RFC 3263 §4.1, RFC 7118 §10.
constexpr std::array services{
  service_name{"SIP+D2U", protocol::udp},  service_name{"SIP+D2T", protocol::tcp},
  service_name{"SIPS+D2T", protocol::tls}, service_name{"SIP+D2W", protocol::ws},
  service_name{"SIPS+D2W", protocol::wss},
};

bool equal_in_any_case(std::string_view a, std::string_view b) {
  const auto upper = [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [&](char x, char y) { return upper(x) == upper(y); });
}

} // namespace

std::vector<service_choice> choose_services(std::span<const naptr_record> records, bool secure,
                                            std::optional<protocol> wanted) {
  std::vector<const naptr_record*> sorted;
  for (const naptr_record& r : records)
    if (equal_in_any_case(r.flags, "s") && !r.replacement.empty() && r.replacement != ".")
      sorted.push_back(&r);
  std::stable_sort(sorted.begin(), sorted.end(), [](const naptr_record* a, const naptr_record* b) {
    return std::pair{a->order, a->preference} < std::pair{b->order, b->preference};
  });
  std::vector<service_choice> choices;
  for (const naptr_record* r : sorted)
    for (const service_name& service : services)
      if (equal_in_any_case(r->service, service.text) && (!secure || is_secure(service.protocol)) &&
          (!wanted || *wanted == service.protocol))
        choices.push_back({service.protocol, r->replacement});
  return choices;
}

std::vector<srv_record> order_by_weight(std::vector<srv_record> records,
                                        const std::function<double()>& random_unit) {
  std::erase_if(records, [](const srv_record& r) { return r.target.empty() || r.target == "."; });
  // Weight 0 first within a priority, so that it keeps its very small chance (RFC 2782).
  std::stable_sort(records.begin(), records.end(), [](const srv_record& a, const srv_record& b) {
    return std::pair{a.priority, a.weight != 0} < std::pair{b.priority, b.weight != 0};
  });
  for (auto group = records.begin(); group != records.end();) {
    const auto end = std::find_if(
      group, records.end(), [&](const srv_record& r) { return r.priority != group->priority; });
    uint64_t total = 0;
    for (auto i = group; i != end; ++i)
      total += i->weight;
    for (; group != end; ++group) {
      // Uniform in [0, total], both ends included.
      const auto draw = static_cast<uint64_t>(random_unit() * static_cast<double>(total + 1));
      uint64_t running = 0;
      auto chosen = group;
      for (auto i = group; i != end; ++i) {
        chosen = i;
        running += i->weight;
        if (running >= draw)
          break;
      }
      total -= chosen->weight;
      std::rotate(group, chosen, chosen + 1);
    }
  }
  return records;
}

target_selection::target_selection(std::vector<target> targets, std::string host)
    : servers_(std::make_shared<const servers>(servers{std::move(targets), std::move(host)})) {
  // nop
}

} // namespace jackfield::transport
