#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace jackfield::tests {

/// A session description of another program.
struct sdp_sample {
  std::string name;
  std::string text;
};

/// All descriptions in the folder of test data beside the project, sorted by name; empty where the
/// folder is absent.
std::vector<sdp_sample> sdp_samples();

/// A plain offer: PCMU, PCMA and telephone-event at 192.0.2.1, port 40000.
inline constexpr std::string_view g711_offer = "v=0\r\n"
                                               "o=alice 2890844526 2890844526 IN IP4 192.0.2.1\r\n"
                                               "s=-\r\n"
                                               "c=IN IP4 192.0.2.1\r\n"
                                               "t=0 0\r\n"
                                               "m=audio 40000 RTP/AVP 0 8 101\r\n"
                                               "a=rtpmap:0 PCMU/8000\r\n"
                                               "a=rtpmap:8 PCMA/8000\r\n"
                                               "a=rtpmap:101 telephone-event/8000\r\n"
                                               "a=fmtp:101 0-15\r\n"
                                               "a=ptime:20\r\n"
                                               "a=sendrecv\r\n";

} // namespace jackfield::tests
