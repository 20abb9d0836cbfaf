#include "actors/centre/caller_check.hpp"

#include <utility>

#include "actors/centre/centre_service.hpp"
#include "engine/sip/fields.hpp"
#include "engine/sip/uri.hpp"

namespace jackfield {

namespace {

std::string claimed_user(const sip::message& request) {
  const auto from = sip::parse_name_addr(request.first(sip::header::from));
  return from ? user_of(from->uri) : std::string{};
}

} // namespace

std::string user_of(std::string_view uri) {
  const auto parsed = sip::uri::parse(uri);
  return parsed ? sip::unescape(parsed->user()) : std::string{};
}

void caller_check::check(const centre_roster& roster, const sip_arrival_ptr& request,
                         uint64_t transaction) {
  const auto& m = request->message();
  if (auto* const trunk = roster.trunks->line_from(request->from().remote)) {
    service_.on_admitted(request, transaction,
                         {.what = centre_caller::kind::trunk, .trunk = trunk});
    return;
  }
  const bool calls_queue = transaction != 0 && roster.numbers.contains(user_of(m.request_uri()));
  const bool strange = !roster.agents.contains(claimed_user(m));
  if (calls_queue && strange && roster.anyone_calls) {
    service_.on_admitted(request, transaction, {});
    return;
  }
  if (!users_.asks()) {
    if (calls_queue && strange)
      service_.on_forbidden(request, transaction, 403);
    else
      service_.on_admitted(request, transaction, {.what = centre_caller::kind::local});
    return;
  }
  const auto ticket = ++tickets_;
  waiting_.emplace(ticket, waiting{request, transaction});
  users_.identify(*request, caf::strong_actor_ptr{self_.ctrl()}, ticket);
}

void caller_check::on_identified(const caller_identified& said) {
  const auto found = waiting_.extract(said.ticket);
  if (!found)
    return;
  using outcome = caller_identified::outcome;
  const auto& [request, transaction] = found.mapped();
  switch (said.how) {
  case outcome::known:
    if (said.user == claimed_user(request->message()))
      service_.on_admitted(request, transaction, {centre_caller::kind::agent, said.user, nullptr});
    else
      service_.on_forbidden(request, transaction, 403);
    break;
  case outcome::malformed:
    service_.on_forbidden(request, transaction, 400);
    break;
  case outcome::banned:
    if (transaction != 0)
      router_.unbind_invite(transaction);
    break;
  case outcome::absent:
  case outcome::stale:
  case outcome::wrong:
    users_.challenge(*request, said.how == outcome::stale);
    if (transaction != 0)
      router_.unbind_invite(transaction);
    break;
  }
}

void caller_check::stop() {
  for (const auto& [ticket, each] : std::exchange(waiting_, {})) {
    router_.answer(*each.request, 480);
    if (each.transaction != 0)
      router_.unbind_invite(each.transaction);
  }
}

} // namespace jackfield
