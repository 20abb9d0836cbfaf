#include "actors/call/leg_trickle.hpp"

#include <utility>

#include "engine/sip/info_package.hpp"
#include "engine/sip/request_check.hpp"

namespace jackfield {

namespace {

/// How often an INFO that was overtaken is sent again, over all of a call.
constexpr unsigned most_overtaken = 4;

} // namespace

bool says_it_trickles(const sip::message& m) noexcept {
  return sip::has_option(m, sip::header::supported, sdp::ice_fragment_package) ||
         sip::has_option(m, sip::header::require, sdp::ice_fragment_package) ||
         sip::takes_info_package(m, sdp::ice_fragment_package);
}

void leg_trickle::keep(sdp::ice_fragment told) {
  if (kept_.size() == most_kept)
    kept_.erase(kept_.begin());
  kept_.push_back(std::move(told));
}

std::vector<sdp::ice_fragment> leg_trickle::take_kept() noexcept {
  return std::exchange(kept_, {});
}

void leg_trickle::tell(sdp::ice_fragment::stream all) {
  if (all_ == all)
    return;
  all_ = std::move(all);
  told_ = false;
}

const sdp::ice_fragment::stream* leg_trickle::next() const noexcept {
  return peer_takes && !refused_ && !told_ && under_way_ == 0 ? &*all_ : nullptr;
}

void leg_trickle::on_sent(uint32_t number) noexcept {
  under_way_ = number;
  told_ = true;
}

bool leg_trickle::on_response(uint32_t number, int status) noexcept {
  if (number == 0 || number != under_way_)
    return false;
  under_way_ = 0;
  if (status == 500 && ++overtaken_ <= most_overtaken)
    told_ = false;
  else if (status < 200 || status > 299)
    refused_ = true;
  return true;
}

} // namespace jackfield
