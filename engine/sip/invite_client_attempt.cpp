#include <utility>

#include "engine/sip/invite_client.hpp"
#include "engine/sip/invite_client_setup.hpp"
#include "engine/sip/request_text.hpp"

// A call that we make as it is kept in a store, and how it is taken back from there.

namespace jackfield::sip {
namespace {

/// Counters of branches from here on are those of other requests than a call's INVITEs.
constexpr uint32_t invite_branches_end = 0x4000'0000;

/// A BYE behind it must have room for its CSeq (§8.1.1.5).
constexpr uint32_t max_invite_cseq = 0x7fff'ffff - unseen_requests;

} // namespace

std::optional<attempt_record> invite_client::attempt() const {
  if (!setup_)
    return std::nullopt;
  auto& s = *setup_;
  return attempt_record{.leg = std::string(view(id_.text())),
                        .uri = std::string(s.uri_text()),
                        .from = s.from,
                        .to = s.to,
                        .route = s.route,
                        .cseq = s.cseq,
                        .branch = s.counter};
}

result<void> invite_client::take_back(time_point now, const attempt_record& record, ua_sink& sink,
                                      std::span<const credential> credentials) {
  if (setup_ || session_.valid() || over_)
    return fail("call", "was started before");
  if (record.leg != view(id_.text()))
    return fail("leg", "is another one");
  if (record.to.empty())
    return fail("to", "expected an address without tag");
  auto next_route = check_addresses(record.uri, record.from, record.to, record.route);
  if (!next_route)
    return tl::unexpected(next_route.error());
  if (record.cseq == 0 || record.cseq > max_invite_cseq)
    return fail("cseq", "expected 1 .. " + std::to_string(max_invite_cseq));
  if (record.branch >= invite_branches_end)
    return fail("branch", "expected 0 .. " + std::to_string(invite_branches_end - 1));
  setup_.reset(new setup);
  auto& s = *setup_;
  s.from = record.from;
  s.to = record.to;
  s.route = record.route;
  s.next_route = *next_route;
  s.targets.push_back({record.uri, {}});
  s.cseq = record.cseq;
  s.counter = record.branch;
  s.sent = s.hang_up = s.taken_back = true;
  credentials_ = credentials;
  invite_cseq_ = record.cseq;
  // Its answers are waited for as over a reliable transport: it is never sent again.
  s.invite.start(now, true, true, profile_->timers);
  // §9.1 has CANCEL wait for a provisional response. Whether one came nobody knows any more, and if
  // it did there may be none to come: all that is left is to send it unasked.
  send_cancel(now, send_to::next_hop, sink);
  return {};
}

} // namespace jackfield::sip
