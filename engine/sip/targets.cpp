#include "engine/sip/targets.hpp"

#include <algorithm>
#include <utility>

#include "engine/sip/fields.hpp"
#include "engine/sip/message_writer.hpp"
#include "engine/sip/uri.hpp"

namespace jackfield::sip {

std::string_view host_of(std::string_view uri_text) noexcept {
  auto u = uri::parse(uri_text);
  return u ? u->host() : std::string_view{};
}

result<std::string_view> first_loose_route(std::string_view route) {
  auto rest = route;
  auto first = parse_name_addr(next_value(rest));
  auto hop = first ? uri::parse(first->uri) : std::nullopt;
  if (!hop || !hop->is_sip() || !hop->is_loose() || !is_safe_value(route))
    return fail("route", "expected SIP URIs in angle brackets, the first with ;lr");
  return first->uri;
}

bool insert_redirect_targets(const message& response, std::vector<std::string>& targets,
                             size_t current, size_t max_targets) {
  std::vector<std::pair<int, std::string_view>> found;
  response.each_value(header::contact, [&](std::string_view value) {
    auto address = parse_name_addr(value);
    auto target = address ? uri::parse(address->uri) : std::nullopt;
    if (target && target->is_sip() && target->headers().empty())
      found.emplace_back(address->q(), address->uri);
    return found.size() < max_targets;
  });
  std::stable_sort(found.begin(), found.end(), [](auto& a, auto& b) { return a.first > b.first; });
  auto place = current + 1;
  for (auto& [q, text] : found) {
    auto seen = std::any_of(targets.begin(), targets.end(), [shown = text](auto& known) {
      auto a = uri::parse(known);
      auto b = uri::parse(shown);
      return a && b && equivalent(*a, *b);
    });
    if (!seen && targets.size() <= max_targets)
      targets.insert(targets.begin() + static_cast<std::ptrdiff_t>(place++), std::string(text));
  }
  return place > current + 1;
}

unsigned retry_after_of(const message& response) noexcept {
  return response.has(header::retry_after)
           ? parse_retry_after(response.first(header::retry_after)).value_or(0)
           : 0;
}

const ua_profile* another_server(ua_sink& sink, const message* failure) {
  return sink.next_server(std::chrono::seconds{failure != nullptr ? retry_after_of(*failure) : 0});
}

} // namespace jackfield::sip
