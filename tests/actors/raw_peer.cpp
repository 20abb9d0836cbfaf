#include "tests/actors/raw_peer.hpp"

#include <algorithm>

namespace jackfield {

raw_peer::raw_peer(lane::sim_lane& home, std::string_view address) {
  socket_ = home.open_datagram(lane::endpoint::parse(address, 5060).value(), *this, {}).value();
}

void raw_peer::on_datagram(const lane::endpoint& from, std::span<const std::byte> bytes,
                           lane::time_point /*arrived*/) {
  peer = from;
  messages.emplace_back(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (on_message) {
    const auto copy = messages.back();
    on_message(copy);
  }
}

void raw_peer::answer(const std::string& request, int status, std::string_view headers,
                      std::string_view body) {
  std::string out = "SIP/2.0 " + std::to_string(status) + " Whatever\r\n";
  for (const auto* name : {"Via", "From", "Call-ID", "CSeq"})
    out += header_line(request, name) + "\r\n";
  auto to = header_line(request, "To");
  if (status > 100 && to.find(";tag=") == std::string::npos)
    to += ";tag=" + tag;
  out += to + "\r\n";
  out += "Contact: <sip:" + socket_->local().to_string() + ">\r\n";
  out += headers;
  if (!body.empty())
    out += "Content-Type: application/sdp\r\n";
  out += "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n";
  out += body;
  send(peer, out);
}

size_t raw_peer::count(std::string_view beginning) const {
  return static_cast<size_t>(
    std::count_if(messages.begin(), messages.end(),
                  [&](const std::string& m) { return m.starts_with(beginning); }));
}

std::string raw_peer::last(std::string_view beginning) const {
  const auto found = std::find_if(messages.rbegin(), messages.rend(),
                                  [&](const std::string& m) { return m.starts_with(beginning); });
  return found == messages.rend() ? std::string{} : *found;
}

std::string raw_peer::request(std::string_view method, const lane::endpoint& to,
                              std::string_view branch, std::string_view to_tag, int cseq,
                              std::string_view headers, std::string_view call_id,
                              std::string_view body) const {
  const auto here = socket_->local().to_string();
  std::string out{method};
  out +=
    " sip:service@" + to.to_string() + " SIP/2.0\r\nVia: SIP/2.0/UDP " + here + ";branch=z9hG4bK";
  out += branch;
  out += "\r\nMax-Forwards: 70\r\nFrom: <sip:raw@" + here + ">;tag=" + tag +
         "\r\nTo: <sip:service@" + to.to_string() + ">";
  if (!to_tag.empty()) {
    out += ";tag=";
    out += to_tag;
  }
  out += "\r\nCall-ID: ";
  out += call_id;
  out += "\r\nCSeq: " + std::to_string(cseq) + " ";
  out += method;
  out += "\r\nContact: <sip:raw@" + here + ">\r\n";
  out += headers;
  if (!body.empty())
    out += "Content-Type: application/sdp\r\n";
  out += "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n";
  out += body;
  return out;
}

// -- its audio -------------------------------------------------------------------------

raw_media::raw_media(lane::sim_lane& home, std::string_view address)
    : socket_(
        home.open_datagram(lane::endpoint::parse(address, 20'000).value(), *this, {}).value()) {}

void raw_media::on_datagram(const lane::endpoint& /*from*/, std::span<const std::byte> bytes,
                            lane::time_point /*arrived*/) {
  if (bytes.size() == 172)
    ++heard;
}

void raw_media::send_packet(const lane::endpoint& to) {
  std::string packet(172, '\xff');
  const auto timestamp = static_cast<uint32_t>(sequence_ * 160);
  const std::string head{'\x80',
                         '\0',
                         static_cast<char>(sequence_ >> 8U),
                         static_cast<char>(sequence_),
                         static_cast<char>(timestamp >> 24U),
                         static_cast<char>(timestamp >> 16U),
                         static_cast<char>(timestamp >> 8U),
                         static_cast<char>(timestamp),
                         'S',
                         'S',
                         'R',
                         'C'};
  packet.replace(0, head.size(), head);
  ++sequence_;
  socket_->send(to, packet);
}

std::string raw_media::description(std::string_view way) const {
  const auto host = socket_->local().address();
  return "v=0\r\no=- 1 1 IN IP4 " + host + "\r\ns=-\r\nc=IN IP4 " + host +
         "\r\nt=0 0\r\nm=audio 20000 RTP/AVP 0\r\na=rtcp-mux\r\na=" + std::string{way} + "\r\n";
}

lane::endpoint media_address_in(const std::string& message) {
  const auto host = message.find("c=IN IP4 ") + 9;
  const auto port = message.find("m=audio ") + 8;
  return lane::endpoint::parse(message.substr(host, message.find('\r', host) - host),
                               static_cast<uint16_t>(std::stoul(message.substr(port, 5))))
    .value();
}

std::string header_line(const std::string& message, std::string_view name) {
  const auto start = message.find("\r\n" + std::string{name} + ":");
  if (start == std::string::npos)
    return {};
  return message.substr(start + 2, message.find("\r\n", start + 2) - start - 2);
}

std::string tag_in(const std::string& message, std::string_view name) {
  const auto line = header_line(message, name);
  const auto at = line.find(";tag=");
  if (at == std::string::npos)
    return {};
  return line.substr(at + 5, line.find(';', at + 5) - at - 5);
}

} // namespace jackfield
