#include <string>

#include <gtest/gtest.h>

#include "tests/interop/peers.hpp"
#include "tests/interop/raw_caller.hpp"

namespace jackfield::tests {
namespace {

constexpr uint64_t call_count = 20;

/// A phone that takes G.722 alone, whatever it is offered.
constexpr std::string_view wideband_phone = R"(<?xml version="1.0" encoding="ISO-8859-1" ?>
<!DOCTYPE scenario SYSTEM "sipp.dtd">
<scenario name="wideband phone">
<recv request="INVITE" crlf="true"></recv>
<send><![CDATA[
SIP/2.0 180 Ringing
[last_Via:]
[last_From:]
[last_To:];tag=[pid]phone[call_number]
[last_Call-ID:]
[last_CSeq:]
Contact: <sip:[local_ip]:[local_port];transport=[transport]>
Content-Length: 0

]]></send>
<send retrans="500"><![CDATA[
SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:];tag=[pid]phone[call_number]
[last_Call-ID:]
[last_CSeq:]
Contact: <sip:[local_ip]:[local_port];transport=[transport]>
Content-Type: application/sdp
Content-Length: [len]

v=0
o=phone 1 1 IN IP[local_ip_type] [local_ip]
s=-
c=IN IP[media_ip_type] [media_ip]
t=0 0
m=audio [media_port] RTP/AVP 9
a=rtpmap:9 G722/8000

]]></send>
<recv request="ACK" crlf="true"></recv>
<recv request="BYE"></recv>
<send><![CDATA[
SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:]
[last_Call-ID:]
[last_CSeq:]
Content-Length: 0

]]></send>
</scenario>
)";

/// Callers who have G.711 alone hear themselves through a phone that has G.722 alone, and echoes.
TEST(transcoded_call, passes_between_two_who_have_no_codec_in_common) {
  if (!installed("sipp"))
    GTEST_SKIP() << "no sipp here: script/install-packages test";
  scratch_folder folder;
  const auto phone_port = free_port();
  auto phone = start_sipp(folder, folder.write("phone.xml", wideband_phone), "u1",
                          {"-p", std::to_string(phone_port), "-m", std::to_string(call_count),
                           "-rtp_echo", "-mp", "6100"}); // far from those of free_port
  ASSERT_TRUE(wait_until_bound(*phone, false, phone_port));
  auto between = start_answerer(folder, "udp:127.0.0.1:0", {"--connect"});
  raw_caller registering{between.port};
  const auto registered = registering.register_user("alice", sip_uri("alice", phone_port));
  ASSERT_TRUE(registered.starts_with("SIP/2.0 200")) << registered;

  const auto outcome =
    run_load(folder, {sip_uri("alice", between.port), "--calls", std::to_string(call_count),
                      "--rate", "10", "--duration", "3", "--codecs", "PCMU"});
  expect_all_completed(outcome, call_count);
  const auto& heard = outcome.summary["media"]["received"];
  EXPECT_EQ(heard["streams"], call_count);
  EXPECT_GT(heard["packets_received"], call_count * 130);
  EXPECT_EQ(phone->wait(), 0);
  EXPECT_EQ(read_sipp_counts(folder, "phone").successful, call_count);
  const auto report = between.finish();
  EXPECT_EQ(report["calls"]["completed"], call_count);
  EXPECT_EQ(report["media"]["transcoded"], 2 * call_count);
  EXPECT_EQ(report["media"]["packets_lost"], 0);
}

} // namespace
} // namespace jackfield::tests
