#include "app/serving/centre_engine.hpp"

#include <array>
#include <chrono>
#include <utility>

#include "actors/media/media_codecs.hpp"
#include "actors/media/media_protection.hpp"

namespace jackfield::app {

namespace {

/// Packets of calls may lie so long, so that one waking of a lane passes on many.
constexpr std::chrono::milliseconds media_gathering{1};
/// How often WebSocket clients are asked whether they are there: who is gone is not called.
constexpr std::chrono::seconds registered_ping{30};
/// A call whose audio stopped ends after this.
constexpr std::chrono::seconds silence_limit{60};

} // namespace

node_settings node_settings_of(const centre_site& site) {
  node_settings settings;
  settings.lanes = site.lanes;
  settings.serve_together = true;
  settings.media_gathering = media_gathering;
  settings.router.user_agent = site.user_agent;
  settings.router.transport.keep_alive.websocket = registered_ping;
  settings.media.address = site.media_address;
  settings.media.first_port = site.first_media_port;
  settings.media.last_port = site.last_media_port;
  settings.webrtc.emplace();
  return settings;
}

std::shared_ptr<const bridge_manner>
bridge_manner_at(const lane::endpoint& media_address,
                 std::shared_ptr<const audio_settings> hold_music) {
  auto made = std::make_shared<bridge_manner>();
  sdp::media_capabilities capabilities;
  capabilities.rtcp_mux = true;
  static constexpr std::array codecs{audio::codec::opus, audio::codec::g722, audio::codec::pcmu,
                                     audio::codec::pcma};
  describe_codecs(capabilities, codecs);
  accept_any_protection(capabilities);
  made->media = std::make_shared<sdp::offer_template>(media_address.address(), capabilities);
  auto audio = std::make_shared<audio_settings>();
  audio->mode = audio_mode::listen;
  audio->silence_limit = silence_limit;
  made->audio = std::move(audio);
  made->hold_music = std::move(hold_music);
  made->early_media = true; // strangers reach queues alone
  return made;
}

} // namespace jackfield::app
