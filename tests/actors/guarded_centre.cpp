#include "tests/actors/guarded_centre.hpp"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "actors/media/media_codecs.hpp"
#include "actors/media/media_protection.hpp"
#include "engine/sip/digest.hpp"

namespace jackfield {

using namespace std::chrono_literals;

namespace {

std::shared_ptr<call_target> target(const std::string& from, const std::string& whom,
                                    const std::string& user) {
  auto made = std::make_shared<call_target>();
  made->uri = "sip:" + whom + "@10.0.0.2";
  made->from = "<sip:" + from + "@10.0.0.2>";
  made->credentials.emplace_back(user, "*", "pw-" + user, std::vector<std::string>{"10.0.0.2"});
  return made;
}

} // namespace

router_settings guarded_centre::at_position(uint8_t position) {
  router_settings settings;
  settings.position = position;
  settings.seed = 7;
  return settings;
}

guarded_centre::guarded_centre()
    : world_(11), phone_(world_.add_site("10.0.0.1")),
      centre_(world_.add_site("10.0.0.2", transport::protocol::udp, at_position(0))),
      peer_(world_.lane(), "10.0.0.3"), lanes_{&centre_.context} {
  auto music = std::make_shared<audio_settings>();
  music->source = audio::source_spec{};
  plan_.queues.push_back({"support", {"100"}, {}, std::move(music), {}});
  for (const auto* name : {"alice", "carol"})
    plan_.agents.push_back({name, {}, true});
}

void guarded_centre::begin(bool passwords) {
  registrar_settings who;
  if (passwords)
    for (const auto& each : plan_.agents)
      who.add_user(each.name, "pw-" + each.name);
  sdp::media_capabilities can;
  can.rtcp_mux = true;
  static constexpr std::array codecs{audio::codec::pcma, audio::codec::pcmu};
  describe_codecs(can, codecs);
  accept_any_protection(can);
  auto listens = std::make_shared<audio_settings>();
  listens->mode = audio_mode::listen;
  auto bridging = std::make_shared<bridge_manner>();
  bridging->media =
    std::make_shared<sdp::offer_template>(centre_.context.media.address().address(), can);
  bridging->audio = std::move(listens);
  world_.serve_at(lanes_, plan_, bridging, who);
  auto manner = answer_manner_of(phone_);
  add_audio(manner);
  world_.answer(phone_, manner);
  user_ = world_.register_user(phone_, to_centre(false), target("alice", "alice", "alice"), {});
  world_.pass(1s);
  EXPECT_EQ(events(centre_event::kind::agent_state), 1U) << "alice is there";
}

std::shared_ptr<const call_manner> guarded_centre::to_centre(bool audio) const {
  auto manner = manner_between(phone_, centre_.target());
  if (audio)
    add_audio(manner, phone_);
  return std::make_shared<const call_manner>(manner);
}

void guarded_centre::call(const std::string& from, const std::string& whom, lane::duration length,
                          const std::string& user) {
  world_.call(phone_, to_centre(true), target(from, whom, user), length);
}

size_t guarded_centre::events(centre_event::kind what) const {
  return static_cast<size_t>(std::ranges::count(world_.events(), what, &centre_event::what));
}

std::string guarded_centre::request(raw_peer& by, const std::string& method,
                                    const std::string& from, const std::string& whom,
                                    const std::string& headers, std::string_view body) {
  const auto number = std::to_string(++requests_);
  auto text = by.request(method, centre_.address, number, {}, 1, headers, "call-" + number, body);
  for (const auto& [before, after] : {std::pair{"sip:service@", "sip:" + whom + "@"},
                                      std::pair{"From: <sip:raw@", "From: <sip:" + from + "@"}})
    for (auto at = text.find(before); at != std::string::npos; at = text.find(before, at + 1))
      text.replace(at, std::string_view{before}.size(), after);
  return text;
}

int guarded_centre::status_of(raw_peer& by, const std::string& text) {
  by.messages.clear();
  by.send(centre_.address, text);
  world_.pass(100ms);
  for (const auto& each : by.messages)
    if (each.starts_with("SIP/2.0 ") && !each.starts_with("SIP/2.0 1"))
      return std::stoi(each.substr(8, 3));
  return 0;
}

std::string guarded_centre::credentials(const std::string& method, const std::string& whom,
                                        const std::string& user, const std::string& password) {
  EXPECT_EQ(status_of(request(method, "alice", whom)), 401);
  const auto challenge = peer_.last("SIP/2.0 401");
  sip::message response;
  EXPECT_EQ(response.parse(challenge, true), sip::parse_verdict::good);
  const std::vector<sip::credential> all{
    {user, "jackfield", password, std::vector<std::string>{"10.0.0.2"}}};
  sip::digest_session session;
  EXPECT_EQ(session.on_challenge(response, all, "10.0.0.2", "10.0.0.2", 4711),
            sip::digest_session::verdict::retry);
  std::string line;
  session.append_authorization(
    line, {method, "sip:" + whom + "@" + centre_.address.to_string(), {}}, "10.0.0.2", {});
  EXPECT_FALSE(line.empty());
  return line;
}

void guarded_centre::expect_nothing_left() {
  lane::tell(world_.lane(), std::exchange(user_, nullptr), hang_up{});
  peer_.on_message = nullptr;
  world_.pass(40s);
  world_.expect_nothing_left();
}

} // namespace jackfield
