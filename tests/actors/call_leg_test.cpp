#include "actors/call/call_leg.hpp"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/actors/sim_world.hpp"

namespace jackfield {
namespace {

using namespace std::chrono_literals;

/// Asks a leg for all that can be asked of it, before it has a call and when that is over.
class eager_user final : public leg_user {
public:
  struct notes {
    std::vector<std::string> done_before;
    std::vector<std::string> done_after;
    bool ended = false;
  };
  eager_user(sim_site& from, notes& all) : from_(from), all_(all) {}

  void on_start(call_leg& leg) override {
    all_.done_before = ask(leg);
    const auto nobody = lane::endpoint::parse("10.0.0.9", 5060).value();
    ASSERT_TRUE(leg.open(transport::target{transport::protocol::udp, nobody}, from_.connections));
    leg.describe(media(), 10'000);
    sip::call_options options;
    options.uri = "sip:bob@10.0.0.9";
    options.from = "<sip:alice@10.0.0.1>";
    ASSERT_TRUE(leg.prepare(options));
    leg.hang_up();
  }
  void on_ended(call_leg& leg, const leg_end& /*end*/) override {
    all_.ended = true;
    all_.done_after = ask(leg);
    leg.finish();
  }
  void on_hang_up(call_leg& leg) override { leg.hang_up(); }
  void on_lost(call_leg& /*leg*/) override { FAIL() << "lost"; }

private:
  static std::shared_ptr<const sdp::offer_template> media() {
    return std::make_shared<sdp::offer_template>("10.1.0.1", sdp::media_capabilities{});
  }
  /// What it did not refuse.
  static std::vector<std::string> ask(call_leg& leg) {
    std::vector<std::string> done;
    const auto note = [&](const char* what, const auto& result) {
      if (result)
        done.emplace_back(what);
      else
        EXPECT_NE(result.error().cause, "") << what;
    };
    note("narrow", leg.narrow(media()));
    note("send", leg.send_invite());
    note("acknowledge", leg.acknowledge());
    note("ring", leg.ring());
    note("early media", leg.send_early_media());
    note("accept", leg.accept());
    note("refuse", leg.refuse(486));
    note("redirect", leg.redirect({"sip:carol@10.0.0.9"}));
    note("offer", leg.offer(sdp::direction::sendrecv));
    note("restart ICE", leg.restart_ice(sdp::direction::sendrecv));
    note("answer an offer", leg.answer_offer(1));
    note("refuse an offer", leg.refuse_offer(1));
    note("request", leg.request(sip::method::info));
    note("answer a request", leg.answer_request(1, 200));
    note("defer a request", leg.defer_request(1));
    note("dial", leg.dial("1"));
    return done;
  }

  sim_site& from_;
  notes& all_;
};

TEST(call_leg, without_a_call_refuses_all_that_is_asked_of_it) {
  sim_world world{1};
  auto& site = world.add_site("10.0.0.1");
  eager_user::notes all;
  world.lane().spawn<call_leg>(site.context.router, std::make_unique<eager_user>(site, all));
  world.pass(1s);
  EXPECT_TRUE(all.ended);
  EXPECT_THAT(all.done_before, testing::IsEmpty());
  EXPECT_THAT(all.done_after, testing::IsEmpty());
  world.expect_nothing_left();
}

} // namespace
} // namespace jackfield
