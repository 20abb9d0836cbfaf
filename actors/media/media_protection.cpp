#include "actors/media/media_protection.hpp"

#include <string>
#include <vector>

#include "actors/media/plain_path.hpp"
#include "actors/media/sdes_path.hpp"
#include "actors/media/webrtc_path.hpp"
#include "engine/srtp/profile.hpp"

namespace jackfield {

namespace {

std::vector<std::string> suites() {
  std::vector<std::string> made;
  made.reserve(srtp::profiles.size());
  for (const auto profile : srtp::profiles)
    made.emplace_back(srtp::suite_of(profile));
  return made;
}

} // namespace

void require_protection(sdp::media_capabilities& capabilities, sdp::protection how) {
  capabilities.protections = {how};
  if (how == sdp::protection::sdes) {
    capabilities.profiles = {"RTP/SAVP", "RTP/SAVPF", "RTP/AVP", "RTP/AVPF"};
    capabilities.suites = suites();
  } else if (how == sdp::protection::dtls) {
    capabilities.profiles = {"UDP/TLS/RTP/SAVPF", "UDP/TLS/RTP/SAVP", "RTP/SAVPF", "RTP/SAVP"};
    capabilities.rtcp_mux = true;
    capabilities.rtcp_rsize = true;
    capabilities.bundle = true;
  }
}

void accept_any_protection(sdp::media_capabilities& capabilities) {
  capabilities.protections = {sdp::protection::none, sdp::protection::sdes, sdp::protection::dtls};
  capabilities.profiles = {"RTP/AVP",   "RTP/AVPF",         "RTP/SAVP",
                           "RTP/SAVPF", "UDP/TLS/RTP/SAVP", "UDP/TLS/RTP/SAVPF"};
  capabilities.rtcp_rsize = true;
  capabilities.suites = suites();
}

std::unique_ptr<media_path> make_path(media_plane& plane, sdp::protection how, bool controls_ice,
                                      uint16_t port) {
  switch (how) {
  case sdp::protection::sdes:
    return std::make_unique<sdes_path>(plane, port);
  case sdp::protection::dtls:
    return std::make_unique<webrtc_path>(plane, controls_ice);
  case sdp::protection::none:
    break;
  }
  return std::make_unique<plain_path>(plane, port);
}

} // namespace jackfield
