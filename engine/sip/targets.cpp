#include "engine/sip/targets.hpp"

#include <algorithm>
#include <utility>

#include "engine/sip/fields.hpp"
#include "engine/sip/message_writer.hpp"
#include "engine/sip/text.hpp"
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

namespace {

constexpr size_t most_header_bytes = 1024;

bool is_harmless(std::string_view name) noexcept {
  return iequals(name, "subject") || iequals(name, "priority") ||
         (name.size() > 2 && iequals(name.substr(0, 2), "x-") &&
          std::all_of(name.begin(), name.end(), [](char c) { return is(c, token_char); }));
}

std::string header_lines(std::string_view headers) {
  std::string lines;
  while (!headers.empty()) {
    const auto field = next_uri_parameter(headers, '&');
    const auto name = unescape(field.name);
    const auto value = unescape(field.value);
    if (is_harmless(name) && !value.empty() && is_safe_value(value) &&
        lines.size() + name.size() + value.size() + 4 <= most_header_bytes)
      lines += name + ": " + value + "\r\n";
  }
  return lines;
}

/// What may stand in a Request-URI (RFC 3261 §19.1.1): no headers, no method.
std::string as_request_uri(const uri& u) {
  const auto* end = !u.parameters().empty() ? u.parameters().data() - 1
                    : !u.headers().empty()  ? u.headers().data() - 1
                                            : u.text().data() + u.text().size();
  std::string text{u.text().data(), end};
  append_parameters_without(text, u.parameters(), "method");
  return text;
}

} // namespace

bool insert_redirect_targets(const message& response, std::vector<request_target>& targets,
                             size_t current, size_t max_targets) {
  std::vector<std::pair<int, request_target>> found;
  response.each_value(header::contact, [&](std::string_view value) {
    const auto address = parse_name_addr(value);
    const auto target = address ? uri::parse(address->uri) : std::nullopt;
    if (!target || !target->is_sip())
      return true;
    const auto method = target->parameter("method");
    if (!method || iequals(*method, response.cseq_method_name()))
      found.emplace_back(address->q(),
                         request_target{as_request_uri(*target), header_lines(target->headers())});
    return found.size() < max_targets;
  });
  std::stable_sort(found.begin(), found.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  auto place = current + 1;
  for (auto& [q, shown] : found) {
    const auto b = uri::parse(shown.uri);
    const bool seen = std::any_of(targets.begin(), targets.end(), [&](const auto& known) {
      const auto a = uri::parse(known.uri);
      return a && b && equivalent(*a, *b);
    });
    if (!seen && targets.size() <= max_targets)
      targets.insert(targets.begin() + static_cast<std::ptrdiff_t>(place++), std::move(shown));
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
