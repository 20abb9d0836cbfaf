#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>
#include <gtest/gtest.h>

#include "actors/call/leg_reporter.hpp"
#include "actors/media/media_stream.hpp"
#include "actors/node/node.hpp"
#include "tests/interop/peers.hpp"

namespace jackfield {

/// To the test: a bridged call is over on both sides.
struct bridge_over {
  media_outcome caller;
  media_outcome callee;
  bool answered = false;
  std::string trouble; ///< empty: none
};
/// From a leg that lives on another lane, once it has been made.
struct callee_made {
  caf::actor leg;
};

} // namespace jackfield

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::bridge_over)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::callee_made)

namespace jackfield::tests {
namespace {

constexpr uint64_t call_count = 200;

/// What a test's bridges share.
struct bridge_plan {
  node& engine;
  transport::target callee;
  std::shared_ptr<const audio_settings> audio;
  std::shared_ptr<const sdp::offer_template> media;
  caf::actor test;
};

/// Two legs and two streams: the caller's leg and both streams on lane 0, the callee's on lane 1.
class bridge final : public lane::lane_actor {
public:
  bridge(caf::actor_config& config, lane::lane& home, const bridge_plan& plan,
         sip_arrival_ptr invite, uint64_t transaction)
      : lane::lane_actor(config, home), plan_(plan), invite_(std::move(invite)),
        transaction_(transaction) {}

  const char* name() const override { return "bridge"; }

private:
  struct side {
    caf::actor leg;
    caf::strong_actor_ptr stream;
    uint16_t port = 0;
    std::optional<media_outcome> outcome;
    bool over = false;
  };

  caf::behavior make_behavior() override {
    for (auto* s : {&caller_, &callee_})
      s->stream = caf::actor_cast<caf::strong_actor_ptr>(home().spawn<media_stream>(
        plan_.engine.context(0).media, plan_.audio, caf::strong_actor_ptr{ctrl()}));
    return {
      [this](const media_opened& opened) { on_opened(opened); },
      [this](const media_closed& closed) {
        side_of(current_sender()).outcome = closed.outcome;
        finish();
      },
      [](const media_parted&) {},
      [this](const callee_made& made) { callee_.leg = made.leg; },
      [](const leg_events::prepared&) {},
      [](const leg_events::incoming&) {},
      [this](const leg_events::ringing&) { command(caller_, leg_commands::ring{}); },
      [this](const leg_events::answered&) { command(caller_, leg_commands::accept{}); },
      [this](const leg_events::confirmed&) { join(); },
      [this](const leg_events::ended&) { on_ended(current_sender() == caller_.leg); },
    };
  }
  void on_exit() override {
    caller_ = callee_ = {};
    invite_ = nullptr;
  }

  side& side_of(const caf::strong_actor_ptr& stream) {
    return stream == caller_.stream ? caller_ : callee_;
  }
  leg_reporter::settings settings_for(const side& s) {
    return {caf::strong_actor_ptr{ctrl()}, plan_.media, s.stream, s.port};
  }

  void on_opened(const media_opened& opened) {
    ASSERT_TRUE(opened.local) << opened.local.error().to_string();
    side_of(current_sender()).port = opened.local->port();
    if (caller_.port == 0 || callee_.port == 0)
      return;
    auto& here = plan_.engine.context(0);
    caller_.leg =
      here.home.spawn<call_leg>(here.router, std::make_unique<leg_reporter>(settings_for(caller_)),
                                std::exchange(invite_, nullptr), transaction_,
                                std::shared_ptr<const transport::open_settings>{});
    leg_reporter::calling calling;
    calling.servers = plan_.callee;
    auto whom = std::make_shared<call_target>();
    whom->uri = "sip:service@" + plan_.callee.remote.to_string();
    whom->from = "<sip:bridge@127.0.0.1>";
    calling.whom = std::move(whom);
    auto& there = plan_.engine.context(1);
    there.home.post([&there, settings = settings_for(callee_), calling,
                     self = caf::actor_cast<caf::actor>(ctrl())] {
      caf::anon_send(self, callee_made{there.home.spawn<call_leg>(
                             there.router, std::make_unique<leg_reporter>(settings, calling))});
    });
  }

  template <class Command>
  void command(side& s, Command c) {
    if (s.leg && !s.over)
      request(s.leg, caf::infinite, leg_command{std::move(c)})
        .then([this](const leg_result& r) { note(r); },
              [this](const caf::error& e) { note(leg_result_of(e)); });
  }
  void note(const leg_result& r) {
    if (r.what != leg_result::outcome::done && r.what != leg_result::outcome::over)
      trouble_ += r.why + "; ";
  }
  void join() {
    answered_ = true;
    request(caf::actor_cast<caf::actor>(caller_.stream), caf::infinite, media_join{callee_.stream})
      .then([this](const media_join_result& r) {
        if (r.what != media_join_result::outcome::done)
          trouble_ += "join: " + std::to_string(static_cast<int>(r.what)) + "; ";
      });
  }
  void on_ended(bool caller) {
    auto& one = caller ? caller_ : callee_;
    auto& other = caller ? callee_ : caller_;
    one.over = true;
    if (!other.over) {
      command(other, leg_commands::hang_up{});
      return;
    }
    for (const auto& s : {caller_.stream, callee_.stream}) {
      lane::tell(home(), s, media_stop{});
      lane::tell(home(), s, media_close{});
    }
  }
  void finish() {
    if (!caller_.outcome || !callee_.outcome)
      return;
    send(plan_.test, bridge_over{*caller_.outcome, *callee_.outcome, answered_, trouble_});
    quit();
  }

  const bridge_plan& plan_;
  sip_arrival_ptr invite_;
  uint64_t transaction_;
  side caller_;
  side callee_;
  std::string trouble_;
  bool answered_ = false;
};

class bridging_service final : public uas_service {
public:
  explicit bridging_service(const bridge_plan& plan) : plan_(plan) {}
  void on_invite(const sip_arrival_ptr& invite, uint64_t transaction) override {
    plan_.engine.context(0).home.spawn<bridge>(plan_, invite, transaction);
  }
  void on_request(const sip_arrival_ptr& request) override {
    plan_.engine.context(0).router.answer(*request, 405);
  }

private:
  const bridge_plan& plan_;
};

/// SIPp's caller with three seconds of audio.
constexpr std::string_view caller_scenario = R"(<?xml version="1.0" encoding="ISO-8859-1" ?>
<scenario name="caller with audio">
<send retrans="500"><![CDATA[
INVITE sip:[service]@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:sipp@[local_ip]:[local_port]>;tag=[call_number]
To: <sip:[service]@[remote_ip]:[remote_port]>
Call-ID: [call_id]
CSeq: 1 INVITE
Contact: <sip:sipp@[local_ip]:[local_port]>
Max-Forwards: 70
Content-Type: application/sdp
Content-Length: [len]

v=0
o=user1 53655765 2353687637 IN IP4 [local_ip]
s=-
c=IN IP4 [local_ip]
t=0 0
m=audio [rtpstream_audio_port] RTP/AVP 0
a=rtpmap:0 PCMU/8000
]]></send>
<recv response="100" optional="true"></recv>
<recv response="180" optional="true"></recv>
<recv response="200"></recv>
<send><![CDATA[
ACK sip:[service]@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:sipp@[local_ip]:[local_port]>;tag=[call_number]
[last_To:]
Call-ID: [call_id]
CSeq: 1 ACK
Max-Forwards: 70
Content-Length: 0

]]></send>
<nop><action><exec rtp_stream="AUDIO,-1,0" /></action></nop>
<pause milliseconds="3000"/>
<send retrans="500"><![CDATA[
BYE sip:[service]@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:sipp@[local_ip]:[local_port]>;tag=[call_number]
[last_To:]
Call-ID: [call_id]
CSeq: 2 BYE
Max-Forwards: 70
Content-Length: 0

]]></send>
<recv response="200"></recv>
</scenario>
)";

/// SIPp calls SIPp through two legs on two lanes, whose streams are joined on one of them; the
/// callee echoes.
TEST(bridge, joins_legs_of_two_lanes_between_two_sipps) {
  if (!installed("sipp"))
    GTEST_SKIP() << "no sipp here: script/install-packages test";
  scratch_folder folder;
  const auto callee_port = free_port();
  auto uas =
    start_sipp(folder, "uas", "u1",
               {"-p", std::to_string(callee_port), "-m", std::to_string(call_count), "-rtp_echo",
                "-mp", "6000"}); // its own ports of old, far from those of free_port
  ASSERT_TRUE(wait_until_bound(*uas, false, callee_port));

  node_settings settings;
  settings.lanes = 2;
  settings.media.address = lane::endpoint::loopback_v4(0);
  const auto engine = std::move(node::make(settings).value()); // goes last
  const auto here = engine->context(0)
                      .router.transport()
                      .listen(transport::protocol::udp, lane::endpoint::loopback_v4(0))
                      .value();
  ASSERT_TRUE(engine->context(1).router.transport().listen(transport::protocol::udp,
                                                           lane::endpoint::loopback_v4(0)));
  caf::scoped_actor self{engine->system()};
  auto audio = std::make_shared<audio_settings>();
  audio->mode = audio_mode::listen;
  const bridge_plan plan{
    *engine,
    {transport::protocol::udp, lane::endpoint::loopback_v4(callee_port)},
    std::move(audio),
    std::make_shared<sdp::offer_template>("127.0.0.1", sdp::media_capabilities{}),
    caf::actor_cast<caf::actor>(self)};
  bridging_service service{plan};
  engine->context(0).router.set_service(&service);
  engine->start();

  const auto audio_file = folder.write("audio.ulaw", std::string(8000, '\x55'));
  std::string scenario{caller_scenario};
  scenario.replace(scenario.find("AUDIO"), 5, audio_file);
  auto uac = start_sipp(folder, folder.write("caller.xml", scenario), "u1",
                        {loopback(here.port()), "-p", std::to_string(free_port()), "-m",
                         std::to_string(call_count), "-r", "20"});

  uint64_t over = 0;
  while (over < call_count) {
    bool timed_out = false;
    self->receive(
      [&](const bridge_over& b) {
        ++over;
        EXPECT_TRUE(b.answered);
        EXPECT_EQ(b.trouble, "");
        // 150 packets in three seconds, less what SIPp takes to begin.
        EXPECT_GT(b.caller.received.packets, 100U);
        EXPECT_GT(b.callee.received.packets, 100U) << "the echo";
        EXPECT_GT(b.caller.packets_sent, 100U);
        EXPECT_GT(b.callee.packets_sent, 100U);
      },
      caf::after(std::chrono::seconds{120}) >> [&] { timed_out = true; });
    ASSERT_FALSE(timed_out) << over << " of " << call_count << " calls are over";
  }
  EXPECT_EQ(uac->wait(), 0);
  EXPECT_EQ(uas->wait(), 0);
  EXPECT_EQ(read_sipp_counts(folder, "caller").successful, call_count);
  EXPECT_EQ(read_sipp_counts(folder, "uas").successful, call_count);
}

} // namespace
} // namespace jackfield::tests
