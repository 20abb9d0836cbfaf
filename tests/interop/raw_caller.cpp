#include "tests/interop/raw_caller.hpp"

#include <vector>

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include "tests/interop/peers.hpp"
#include "tests/interop/sip_tap.hpp"

namespace jackfield::tests {

raw_caller::raw_caller(uint16_t server) : server_(server), socket_(open_udp(INADDR_LOOPBACK)) {
  from_ = "<sip:raw@" + loopback(port_of(socket_)) + ">";
}

std::string raw_caller::register_user(std::string_view user, std::string_view contact) {
  const auto self = loopback(port_of(socket_));
  const auto whom = "<" + sip_uri(user, server_) + ">";
  const auto id = "raw-" + std::to_string(++call_);
  send("REGISTER sip:" + loopback(server_) + " SIP/2.0\r\nVia: SIP/2.0/UDP " + self +
       ";rport;branch=z9hG4bK-" + id + "\r\nMax-Forwards: 70\r\nFrom: " + whom +
       ";tag=raw\r\nTo: " + whom + "\r\nCall-ID: " + id + "@" + self +
       "\r\nCSeq: 1 REGISTER\r\nContact: <" + std::string{contact} +
       ">\r\nExpires: 3600\r\nContent-Length: 0\r\n\r\n");
  return wait_for_response();
}

std::string raw_caller::invite(std::string_view body) {
  ++call_;
  cseq_ = 1;
  to_ = "<" + sip_uri(callee_, server_) + ">";
  send("INVITE", "0", body);
  for (;;) {
    auto response = wait_for_response();
    if (response.starts_with("SIP/2.0 1"))
      continue;
    to_ = header_of(response, "To");
    if (!response.starts_with("SIP/2.0 2"))
      send("ACK", "0", {});
    return response;
  }
}

void raw_caller::acknowledge(const std::string& accepted, std::string_view body) {
  EXPECT_TRUE(accepts(accepted, "INVITE")) << accepted;
  send("ACK", "1", body);
}

void raw_caller::wait_for_bye() {
  for (;;) {
    const auto message = receive();
    if (message.starts_with("SIP/2.0 "))
      continue; // its 200 once more, before it had our ACK
    confirm(message);
    if (is_request(message, "BYE"))
      return;
  }
}

std::string raw_caller::hang_up() {
  ++cseq_;
  send("BYE", "0", {});
  for (;;) {
    auto response = wait_for_response();
    if (header_of(response, "CSeq").ends_with("BYE"))
      return response;
  }
}

void raw_caller::send(std::string_view method, std::string_view transaction,
                      std::string_view body) {
  const auto name = std::string{method};
  const auto self = loopback(port_of(socket_));
  const auto id = std::to_string(call_);
  std::string message = name + " " + sip_uri(callee_, server_) + " SIP/2.0\r\n";
  message += "Via: SIP/2.0/UDP " + self + ";rport;branch=z9hG4bK-raw-" + id + "-" +
             std::to_string(cseq_) + "-" + std::string{transaction} + "\r\n";
  message += "Max-Forwards: 70\r\n";
  message += "From: " + from_ + ";tag=raw" + id + "\r\n";
  message += "To: " + to_ + "\r\n";
  message += "Call-ID: raw-" + id + "@" + self + "\r\n";
  message += "CSeq: " + std::to_string(cseq_) + " " + name + "\r\n";
  message += "Contact: <sip:raw@" + self + ">\r\n";
  if (!body.empty())
    message += "Content-Type: application/sdp\r\n";
  message += "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n";
  message += body;
  send(message);
}

void raw_caller::send(std::string_view message) {
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(server_);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(sendto(socket_.get(), message.data(), message.size(), 0,
                   reinterpret_cast<const sockaddr*>(&to), sizeof to),
            static_cast<ssize_t>(message.size()));
}

std::string raw_caller::receive() {
  pollfd waiting{socket_.get(), POLLIN, 0};
  poll(&waiting, 1, -1);
  std::string message(65'536, '\0');
  const auto size = recv(socket_.get(), message.data(), message.size(), 0);
  message.resize(size < 0 ? 0 : static_cast<size_t>(size));
  return message;
}

std::string raw_caller::wait_for_response() {
  for (;;) {
    auto message = receive();
    if (!message.starts_with("SIP/2.0 "))
      confirm(message);
    else if (header_of(message, "Call-ID").starts_with("raw-" + std::to_string(call_) + "@"))
      return message;
  }
}

void raw_caller::confirm(const std::string& request) {
  std::string response = "SIP/2.0 200 OK\r\n";
  for (const auto* name : {"Via", "From", "To", "Call-ID", "CSeq"})
    response += std::string{name} + ": " + std::string{header_of(request, name)} + "\r\n";
  send(response + "Content-Length: 0\r\n\r\n");
}

} // namespace jackfield::tests
