#include "engine/sip/parting_bye.hpp"

#include "engine/sip/dialog.hpp"
#include "engine/sip/request_text.hpp"

namespace jackfield::sip {
namespace {

/// Transactions of surplus dialogs have counters of their own, told apart by the To tag: each is
/// made anew from the 2xx, so nothing can count them.
constexpr uint32_t surplus_ack_branches = 0x6000'0000;
constexpr uint32_t surplus_bye_branches = 0x7000'0000;
constexpr uint32_t surplus_mask = 0x0fff'ffff;

dialog dialog_of(const leg_id& leg, const message& m) {
  return dialog::from_response(leg, m, {}, m.cseq_number() + unseen_requests);
}

void send_ack(const dialog& d, const message& m, const ua_profile& profile, uint64_t tag,
              bool retransmission, ua_sink& sink) {
  request_text t;
  d.fill(t);
  t.what = method::ack;
  t.branch.counter = surplus_ack_branches | static_cast<uint32_t>(tag & surplus_mask);
  t.cseq = m.cseq_number();
  auto& text = scratch_text();
  append_request(text, profile, t);
  sink.send({text, send_rank::ack, send_to::aside, d.next_hop(), method::ack, 0, retransmission});
}

} // namespace

uint64_t hash_of_tag(std::string_view tag) noexcept {
  uint64_t h = 0xcbf29ce484222325;
  for (unsigned char c : tag)
    h = (h ^ c) * 0x100000001b3;
  return h == 0 ? 1 : h;
}

parting_bye::parting_bye(time_point now, const leg_id& leg, const message& m,
                         const ua_profile& profile, ua_sink& sink)
    : profile_(&profile), tag_hash_(hash_of_tag(m.to_tag())) {
  auto d = dialog_of(leg, m);
  if (!d.valid() || d.remote_target().empty())
    return; // nowhere to send to
  send_ack(d, m, profile, tag_hash_, false, sink);
  branch_ = {leg, surplus_bye_branches | static_cast<uint32_t>(tag_hash_ & surplus_mask)};
  next_hop_ = d.next_hop();
  request_text t;
  d.fill(t);
  t.what = method::bye;
  t.branch = branch_;
  t.cseq = d.next_local_cseq();
  append_request(text_, profile, t);
  transaction_.start(now, false, profile.reliable, profile.timers);
  sink.send({text_, send_rank::request, send_to::aside, next_hop_, method::bye, 0, false});
}

void parting_bye::repeat_ack(const leg_id& leg, const message& m, const ua_profile& profile,
                             ua_sink& sink) {
  auto d = dialog_of(leg, m);
  if (d.valid() && !d.remote_target().empty())
    send_ack(d, m, profile, hash_of_tag(m.to_tag()), true, sink);
}

void parting_bye::on_response(time_point now, int status) {
  transaction_.on_response(now, status, profile_->reliable, profile_->timers);
}

void parting_bye::on_time(time_point now, ua_sink& sink) {
  if (transaction_.on_time(now, profile_->reliable, profile_->timers).send)
    sink.send({text_, send_rank::request, send_to::aside, next_hop_, method::bye, 0, true});
}

} // namespace jackfield::sip
