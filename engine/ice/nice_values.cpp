#include "engine/ice/nice_values.hpp"

#include <algorithm>
#include <cstring>

namespace jackfield::ice {

namespace {

NiceCandidateType to_nice(candidate_type type) noexcept {
  switch (type) {
  case candidate_type::host:
    return NICE_CANDIDATE_TYPE_HOST;
  case candidate_type::server_reflexive:
    return NICE_CANDIDATE_TYPE_SERVER_REFLEXIVE;
  case candidate_type::peer_reflexive:
    return NICE_CANDIDATE_TYPE_PEER_REFLEXIVE;
  case candidate_type::relayed:
    return NICE_CANDIDATE_TYPE_RELAYED;
  }
  return NICE_CANDIDATE_TYPE_HOST;
}

} // namespace

lane::endpoint from_nice(const NiceAddress& address) noexcept {
  sockaddr_storage storage{};
  nice_address_copy_to_sockaddr(&address, reinterpret_cast<sockaddr*>(&storage));
  return lane::endpoint::from_sockaddr(reinterpret_cast<const sockaddr*>(&storage), sizeof storage);
}

NiceAddress to_nice(const lane::endpoint& address) noexcept {
  sockaddr_storage storage{};
  static_cast<void>(address.to_sockaddr(storage));
  NiceAddress out;
  nice_address_init(&out);
  nice_address_set_from_sockaddr(&out, reinterpret_cast<const sockaddr*>(&storage));
  return out;
}

candidate_type from_nice(NiceCandidateType type) noexcept {
  switch (type) {
  case NICE_CANDIDATE_TYPE_SERVER_REFLEXIVE:
    return candidate_type::server_reflexive;
  case NICE_CANDIDATE_TYPE_PEER_REFLEXIVE:
    return candidate_type::peer_reflexive;
  case NICE_CANDIDATE_TYPE_RELAYED:
    return candidate_type::relayed;
  default:
    return candidate_type::host;
  }
}

candidate from_nice(const NiceCandidate& found) {
  candidate out;
  out.foundation = found.foundation;
  out.component = static_cast<uint16_t>(found.component_id);
  out.transport = found.transport == NICE_CANDIDATE_TRANSPORT_UDP ? candidate_transport::udp
                                                                  : candidate_transport::tcp;
  out.priority = found.priority;
  out.address = from_nice(found.addr);
  out.type = from_nice(found.type);
  if (out.type != candidate_type::host)
    out.related = from_nice(found.base_addr);
  return out;
}

NiceCandidate* to_nice(const candidate& from, guint stream) {
  NiceCandidate* out = nice_candidate_new(to_nice(from.type));
  out->stream_id = stream;
  out->component_id = from.component;
  out->transport = NICE_CANDIDATE_TRANSPORT_UDP;
  out->priority = from.priority;
  out->addr = to_nice(from.address);
  if (from.related)
    out->base_addr = to_nice(*from.related);
  const size_t length = std::min(from.foundation.size(), sizeof out->foundation - 1);
  std::memcpy(out->foundation, from.foundation.data(), length);
  out->foundation[length] = '\0';
  return out;
}

} // namespace jackfield::ice
