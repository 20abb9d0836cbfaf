#include "actors/centre/trunk_hunt.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "engine/sip/uri.hpp"

namespace jackfield {

namespace {

/// As a server that failed rests (`server_memory`).
constexpr std::chrono::seconds rest{30};

/// Scheme and what follows the user: "sip:", "example.com;transport=tcp".
std::pair<std::string, std::string> parts_of(const std::string& uri) {
  const auto parsed = sip::uri::parse(uri);
  if (!parsed)
    return {};
  auto where = parsed->opaque();
  if (const auto at = where.find('@'); at != std::string_view::npos)
    where.remove_prefix(at + 1);
  return {std::string{parsed->scheme_name()} + ":", std::string{where}};
}

} // namespace

trunk_hunt::trunk_hunt(std::shared_ptr<const trunk_book> book, const outside_route& route,
                       std::string number, std::string agent, call_trail trail)
    : book_(std::move(book)), untried_(route.trunks), route_(route), number_(std::move(number)),
      agent_(std::move(agent)), trail_(std::move(trail)) {
  // nop
}

bool trunk_hunt::next(lane::time_point now) {
  call_.reset();
  for (const bool resting : {false, true})
    for (auto each = untried_.begin(); each != untried_.end(); ++each) {
      auto& line = *book_->lines.at(*each);
      if (!line.in_service() || (line.rests(now) && !resting))
        continue;
      call_ = trunk_call::begin(line, trunk_call::way::out);
      if (!call_)
        continue;
      untried_.erase(each);
      return true;
    }
  return false;
}

std::shared_ptr<const call_target> trunk_hunt::whom() const {
  const auto& profile = at().profile();
  const auto [scheme, where] = parts_of(profile.uri);
  const auto& caller = !profile.caller.empty() ? profile.caller
                       : !profile.user.empty() ? profile.user
                                               : agent_;
  auto made = std::make_shared<call_target>();
  made->uri = scheme + sip::escape_user(route_.number_for(number_)) + "@" + where;
  made->from =
    "<" + scheme + sip::escape_user(caller) + "@" + where.substr(0, where.find(';')) + ">";
  made->headers = trail_.line_with(book_->mark);
  made->credentials = profile.credentials;
  return made;
}

bool trunk_hunt::was_trunk(const leg_events::ended& ended, lane::time_point now) {
  using sip::end_cause;
  switch (ended.cause) {
  case end_cause::timeout_b:
  case end_cause::transport_failed:
  case end_cause::auth_failed:
  case end_cause::protocol_error:
  case end_cause::redirect_loop:
    break;
  default:
    if (ended.status != 408 && (ended.status < 500 || ended.status >= 600))
      return false;
  }
  not_found(now);
  return true;
}

void trunk_hunt::not_found(lane::time_point now) {
  at().rest_until(now + rest);
  at().count_not_taken();
}

} // namespace jackfield
