#include <gtest/gtest.h>

#include "tests/actors/raw_peer.hpp"
#include "tests/actors/sim_world.hpp"

namespace jackfield {
namespace {

using namespace std::chrono_literals;

/// A leg of which a store kept the dialog; hangs up when told.
class adopter final : public leg_user {
public:
  adopter(sip::dialog_record record, transport::target target,
          std::shared_ptr<const sdp::offer_template> media)
      : record_(std::move(record)), target_(std::move(target)), media_(std::move(media)) {}

  void on_start(call_leg& leg) override {
    const auto adopted = leg.adopt(record_, target_, nullptr);
    EXPECT_TRUE(adopted) << adopted.error().to_string();
    if (!adopted) {
      leg.finish();
      return;
    }
    leg.describe(media_, 10'000);
    EXPECT_EQ(leg.phase(), sip::leg::phase::established);
    EXPECT_TRUE(leg.offer(sdp::direction::sendrecv));
  }
  void on_hang_up(call_leg& leg) override { leg.hang_up(); }
  void on_lost(call_leg& /*leg*/) override { FAIL() << "lost"; }
  void on_ended(call_leg& leg, const leg_end& /*end*/) override { leg.finish(); }

private:
  sip::dialog_record record_;
  transport::target target_;
  std::shared_ptr<const sdp::offer_template> media_;
};

class adopt_test : public testing::Test {
protected:
  adopt_test() : world_(9), site_(world_.add_site("10.0.0.1")), peer_(world_.lane(), "10.0.0.3") {
    peer_.on_message = [this](const std::string& m) {
      if (m.starts_with("INVITE ") || m.starts_with("BYE "))
        peer_.answer(m, 200);
    };
  }

  /// A dialog of this leg with the peer, as it stood after three requests of ours and two of the
  /// peer's.
  sip::dialog_record dialog_of(const sip::leg_id& leg, bool is_caller) {
    const auto text = leg.text();
    const std::string tag{text.data(), text.size()};
    sip::dialog_record r;
    r.leg = tag;
    r.call_id = is_caller ? tag : "raw";
    r.local_party = "<sip:us@10.0.0.1>;tag=" + tag;
    r.local_tag = tag;
    r.remote_party = "<sip:them@10.0.0.3>;tag=raw-tag";
    r.remote_tag = "raw-tag";
    r.remote_target = "sip:them@" + peer_.address().to_string();
    r.route_set = "<sip:10.0.0.3:5060;lr>, <sip:second.example.com;lr>";
    r.local_cseq = 3;
    r.remote_cseq = 2;
    r.next_branch = 0x8000'0003;
    r.is_caller = is_caller;
    return r;
  }
  caf::strong_actor_ptr adopt(const sip::dialog_record& record) {
    auto user = std::make_unique<adopter>(
      record, transport::target{transport::protocol::udp, peer_.address()},
      std::make_shared<sdp::offer_template>("10.1.0.1", sdp::media_capabilities{}));
    return caf::actor_cast<caf::strong_actor_ptr>(
      world_.lane().spawn<call_leg>(site_.context.router, std::move(user)));
  }

  sim_world world_;
  sim_site& site_;
  raw_peer peer_;
};

TEST_F(adopt_test, goes_on_with_the_identity_that_it_had) {
  for (const bool is_caller : {true, false}) {
    const sip::leg_id id{0, is_caller ? 5U : 77U, 9, 0x1234'5678'9abc'def0U};
    const auto record = dialog_of(id, is_caller);
    const auto leg = adopt(record);
    world_.pass(100ms);
    const auto invite = peer_.last("INVITE ");
    ASSERT_FALSE(invite.empty());
    EXPECT_EQ(header_line(invite, "From"), "From: " + record.local_party);
    EXPECT_EQ(header_line(invite, "To"), "To: " + record.remote_party);
    EXPECT_EQ(header_line(invite, "CSeq"), "CSeq: 4 INVITE");
    EXPECT_EQ(header_line(invite, "Call-ID"), "Call-ID: " + record.call_id);
    EXPECT_NE(invite.find(record.route_set), std::string::npos) << "the routes, in their order";
    // What the peer says finds the leg by its old identity.
    auto info = peer_.request("INFO", site_.address, "7", record.local_tag, 3, {}, record.call_id);
    peer_.send(site_.address, info);
    world_.pass(100ms);
    EXPECT_TRUE(peer_.messages.back().starts_with("SIP/2.0 200")) << peer_.messages.back();
    lane::tell(world_.lane(), leg, hang_up{});
    world_.pass(1s);
    EXPECT_EQ(header_line(peer_.last("BYE "), "CSeq"), "CSeq: 5 BYE");
  }
  world_.expect_nothing_left();
}

/// New legs pass by the slots that were taken up, and take them when they are free again.
TEST_F(adopt_test, identities_stay_apart) {
  std::vector<caf::strong_actor_ptr> legs;
  for (uint32_t slot = 0; slot < 2'000; slot += 2)
    legs.push_back(adopt(dialog_of({0, slot, 1, slot + 1U}, true)));
  world_.pass(1s);
  EXPECT_EQ(site_.context.router.legs().size(), 1'000U);
  for (int i = 0; i < 3'000; ++i)
    world_.probe(site_,
                 std::make_shared<const call_manner>(manner_between(
                   site_, transport::target{transport::protocol::udp, peer_.address()})),
                 target_of(peer_.address()));
  world_.pass(100ms);
  EXPECT_EQ(site_.context.router.legs().size(), 4'000U);
  for (const auto& leg : legs)
    lane::tell(world_.lane(), leg, hang_up{});
  world_.pass(100s);
  EXPECT_EQ(peer_.count("BYE "), 1'000U) << "one was taken for another";
  legs.clear();
  world_.expect_nothing_left();
}

} // namespace
} // namespace jackfield
