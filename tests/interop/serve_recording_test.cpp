#include <csignal>
#include <filesystem>
#include <fstream>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "engine/audio/tone_detector.hpp"
#include "tests/interop/http_client.hpp"
#include "tests/interop/peers.hpp"
#include "tests/recorded_file.hpp"

namespace jackfield::tests {
namespace {

using json = nlohmann::json;

constexpr auto others_secret = "nobody's business";

/// `jackfield serve` with an API and a queue whose calls are recorded.
class serve_recording : public testing::Test {
protected:
  serve_recording() {
    std::filesystem::create_directory(folder_.path() / "recordings");
    const std::string config = "[server]\nlisten = [\"udp:127.0.0.1:0\"]\nlanes = 2\n"
                               "[api]\nlisten = \"127.0.0.1:0\"\n"
                               "[recording]\ndirectory = \"recordings\"\n"
                               "[[agent]]\nname = \"alice\"\npassword = \"pw-alice\"\n"
                               "[[queue]]\nname = \"support\"\nnumbers = [\"100\"]\n"
                               "members = \"all\"\nmusic = \"silence\"\nrecord = true\n";
    program_ = std::make_unique<process>("serve", folder_,
                                         arguments{JACKFIELD_PROGRAM, "serve", "-c",
                                                   folder_.write("centre.toml", config), "--events",
                                                   events_file()});
    sip_ = port_in(program_->wait_for_rest_of_line("listening on UDP "));
    const auto api = program_->wait_for_rest_of_line("API on ");
    port_ = port_in(api.substr(0, api.find(',')));
    std::getline(std::ifstream{folder_.file("api-token")}, token_);
    EXPECT_TRUE(program_->wait_for("serving "));
  }

  [[nodiscard]] std::string events_file() const { return folder_.file("events.jsonl"); }
  [[nodiscard]] http_answer get(const std::string& target) const {
    return ask(port_, {"GET", target, {"Authorization: Bearer " + token_}});
  }
  std::string place(const std::string& name, const std::string& text) const {
    return folder_.write(name, text);
  }

  scratch_folder folder_;
  std::unique_ptr<process> program_;
  uint16_t sip_ = 0;
  uint16_t port_ = 0;
  std::string token_;
};

TEST_F(serve_recording, has_each_side_of_every_call_in_its_channel) {
  constexpr uint64_t calls = 6;
  process phone{"phone", folder_,
                arguments{JACKFIELD_PROGRAM, "answer", "--users",
                          folder_.write("agents.csv", "user,password\nalice,pw-alice\n"),
                          "--register", "sip:" + loopback(sip_), "--media", "rtp", "--audio",
                          "tone:1000", "--duration", "2s"}};
  ASSERT_TRUE(phone.wait_for("registered "));
  const auto load = run_load(folder_, {sip_uri("100", sip_), "-m", std::to_string(calls), "-r", "3",
                                       "--duration", "60s", "--callee-hangs-up", "expected",
                                       "--audio", "tone:440", "--codecs", "PCMU"});
  EXPECT_EQ(load.summary.at("calls").at("completed"), calls) << load.summary.at("failures");
  std::set<std::string> listed;
  while (listed.size() < calls) { // the last one is told of some time after its call
    const auto page = get("/v1/recordings").json();
    for (const auto& each : page.at("recordings"))
      if (each.at("packets_left_out") == 0)
        listed.insert(each.at("id").get<std::string>());
  }
  std::set<std::string> told_of;
  program_->signal(SIGTERM);
  EXPECT_EQ(program_->wait(), 0);
  uint64_t found = 0;
  double talked = 0;
  for (const auto& line : lines_of(events_file())) {
    const auto event = json::parse(line);
    if (event.at("event") == "call.completed")
      talked = event.at("talked_ms").get<double>() / 1000;
    if (event.at("event") != "call.recorded")
      continue;
    ++found;
    EXPECT_FALSE(event.contains("cause")) << line;
    EXPECT_EQ(event.at("packets_left_out"), 0) << line;
    told_of.insert(event.at("recording").get<std::string>());
    const std::string path = event.at("path");
    EXPECT_EQ(std::filesystem::path{path}.stem().string(), event.at("recording"));
    struct stat about {};
    ASSERT_EQ(::stat(path.c_str(), &about), 0) << path;
    EXPECT_EQ(about.st_mode & 0777U, 0600U);
    const auto file = recording::read_file(path);
    EXPECT_NEAR(file.seconds(), event.at("length_ms").get<double>() / 1000, 0.001);
    EXPECT_NEAR(file.seconds(), talked, 0.02) << "one agent: each is told after its call";
    const auto& [left, right] = file.channels;
    ASSERT_GT(left.size(), file.rate);
    const auto share = [&](const std::vector<int16_t>& channel, double hz) {
      return audio::tone_share(std::span{channel}.subspan(file.rate / 2, file.rate), hz, file.rate);
    };
    EXPECT_GT(share(left, 440), 0.9) << path;
    EXPECT_GT(share(right, 1000), 0.9) << path;
    EXPECT_LT(share(left, 1000), 0.001) << path;
    EXPECT_LT(share(right, 440), 0.001) << path;
  }
  EXPECT_EQ(found, calls);
  EXPECT_EQ(listed, told_of);
  for (const auto& each : std::filesystem::directory_iterator{folder_.path() / "recordings"})
    EXPECT_EQ(each.path().extension(), ".opus");
  phone.signal(SIGINT);
  (void)phone.wait();
}

TEST_F(serve_recording, are_listed_a_page_at_a_time_and_sent) {
  EXPECT_EQ(get("/v1/recordings").json(), (json{{"recordings", json::array()}, {"next", nullptr}}));
  for (const auto* const id : {"20261130T064959Z-17-0000000c", "20261130T064959Z-17-0000000a",
                               "20261130T065000Z-18-0000000b"})
    place(std::string{"recordings/"} + id + ".opus", std::string{"of "} + id);
  place("recordings/20261130T065001Z-19-0000000d.opus.part", "not whole");
  auto page = get("/v1/recordings?limit=2").json();
  ASSERT_EQ(page.at("recordings").size(), 2U);
  EXPECT_EQ(page.at("recordings")[0], (json{{"id", "20261130T064959Z-17-0000000a"},
                                            {"call", "17"},
                                            {"began_at", "2026-11-30T06:49:59Z"},
                                            {"bytes", 31},
                                            {"packets_left_out", nullptr}}));
  EXPECT_EQ(page.at("next"), "20261130T064959Z-17-0000000c");
  page = get("/v1/recordings?limit=2&after=20261130T064959Z-17-0000000c").json();
  ASSERT_EQ(page.at("recordings").size(), 1U);
  EXPECT_EQ(page.at("recordings")[0].at("id"), "20261130T065000Z-18-0000000b");
  EXPECT_EQ(page.at("next"), nullptr);
  const auto one = get("/v1/recordings/20261130T065000Z-18-0000000b");
  EXPECT_EQ(one.status, 200);
  EXPECT_EQ(one.headers.at("content-type"), "audio/ogg; codecs=opus");
  EXPECT_EQ(one.body, "of 20261130T065000Z-18-0000000b");
}

TEST_F(serve_recording, sec_34_nothing_but_recordings_is_sent) {
  place("secret.opus", others_secret);
  place("recordings/part.opus.part", others_secret);
  place("recordings/.opus", others_secret);
  place("recordings/a b.opus", others_secret);
  const auto inside = folder_.path() / "recordings";
  std::filesystem::create_symlink(folder_.path() / "secret.opus", inside / "link.opus");
  std::filesystem::create_directory(inside / "folder.opus");
  ASSERT_EQ(::mkfifo((inside / "pipe.opus").c_str(), 0600), 0);
  for (const std::string id : {"..%2fsecret",
                               "%2e%2e%2fsecret",
                               "..%2Fsecret",
                               "../secret",
                               "..%5csecret",
                               "%2e%2e/secret",
                               "....//secret",
                               "..%c0%afsecret",
                               "..%252fsecret",
                               "%00",
                               "secret%00",
                               "..",
                               ".",
                               "%2e",
                               "%20",
                               "part",
                               "part.opus.part",
                               "part.opus",
                               "link",
                               "folder",
                               "pipe",
                               "a%20b",
                               "a+b",
                               "%2fetc%2fpasswd",
                               "recordings%2f..%2f..%2fsecret",
                               "*",
                               "~",
                               "-"}) {
    const auto said = get("/v1/recordings/" + id);
    EXPECT_TRUE(said.status == 404 || said.status == 400) << id << ": " << said.status;
    EXPECT_EQ(said.body.find(others_secret), std::string::npos) << id;
  }
  EXPECT_EQ(get("/v1/recordings/" + std::string(500, 'a')).status, 404);
  for (const std::string target : {"/v1/recordings", "/v1/recordings/link", "/v1/recordings/"})
    EXPECT_EQ(ask(port_, {"GET", target}).status, 401) << target << " without a token";
  // What has no name of ours is not listed, and what is listed is a file.
  for (const auto& each : get("/v1/recordings").json().at("recordings"))
    ADD_FAILURE() << each;
}

TEST(serve_recording_config, needs_a_place_that_is_there) {
  const scratch_folder folder;
  const auto check = [&](const std::string& more) {
    process program{
      "check", folder,
      arguments{JACKFIELD_PROGRAM, "serve", "--check", "-c",
                folder.write("centre.toml", "[server]\nlisten = [\"udp:127.0.0.1:0\"]\n"
                                            "[[agent]]\nname = \"a\"\n" +
                                              more)}};
    EXPECT_EQ(program.wait(), 2) << more;
    return program.standard_error();
  };
  const std::string queue = "[[queue]]\nname = \"q\"\nmembers = \"all\"\nrecord = true\n";
  EXPECT_NE(check(queue).find("centre.toml:8: record: needs a place"), std::string::npos);
  const auto nowhere = check(queue + "[recording]\ndirectory = \"nowhere\"\n");
  EXPECT_NE(nowhere.find("centre.toml:10: directory: "), std::string::npos) << nowhere;
  EXPECT_EQ(nowhere.find("needs a place"), std::string::npos) << "said once";
  EXPECT_NE(check("[recording]\n").find("directory: is missing"), std::string::npos);
  EXPECT_NE(check("record = true\n").find("is unknown in [[agent]]"), std::string::npos);
}

} // namespace
} // namespace jackfield::tests
