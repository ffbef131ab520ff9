// A small server of the Local Dream API on Go's standard library, as a model for servers of your own.
// What paints is in engine.go; put your engine in its place.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"math"
	"math/rand"
	"net"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

var (
	port   = flag.Int("port", 8081, "where to listen on 127.0.0.1; 0 is any free port")
	stepMs = flag.Int("step-ms", 50, "how long a step takes")
	edge   = regexp.MustCompile(`^[1-9][0-9]{0,4}$`)
	engine = make(chan struct{}, 1) // one generation at a time; the others wait in a queue
)

type request struct {
	prompt, negative, scheduler        string
	steps, seed, width, height, stride int
	cfg, strength                      float64
	previews, opencl                   bool
	imageText, maskText                *string
	image, mask                        *pixels
}

// readRequest reads and checks the body of POST /generate.
func readRequest(body []byte) (r request, err error) {
	if !utf8.Valid(body) { // which package json would repair without a word
		return r, fmt.Errorf("the body is not UTF-8")
	}
	var sent map[string]json.RawMessage // by exact name: a struct would also take "PROMPT"
	if err := json.Unmarshal(body, &sent); err != nil {
		return r, err
	}
	r = request{scheduler: "dpm", steps: 20, seed: int(rand.Uint32()), width: 512, height: 512, stride: 1, cfg: 7.5, strength: 0.6}
	for name, field := range map[string]any{"prompt": &r.prompt, "negative_prompt": &r.negative, "scheduler": &r.scheduler,
		"steps": &r.steps, "seed": &r.seed, "width": &r.width, "height": &r.height, "show_diffusion_stride": &r.stride,
		"cfg": &r.cfg, "denoise_strength": &r.strength, "show_diffusion_process": &r.previews, "use_opencl": &r.opencl,
		"image": &r.imageText, "mask": &r.maskText} {
		if text, found := sent[name]; found { // null leaves the default as it is
			if err := json.Unmarshal(text, field); err != nil {
				return r, fmt.Errorf("%s: %v", name, err)
			}
		}
	}
	for message, broken := range map[string]bool{
		"prompt: must be there, and not empty":                         r.prompt == "",
		"steps: must be 1 to 1000":                                     r.steps < 1 || r.steps > 1000,
		"seed: must be 0 to 4294967295; leave it out for a random one": r.seed < 0 || r.seed > math.MaxUint32,
		"width, height: must be multiples of 8 from 8 to 2048":         !isSide(r.width) || !isSide(r.height),
		"scheduler: must be dpm or euler_a":                            r.scheduler != "dpm" && r.scheduler != "euler_a",
		"denoise_strength: must be 0 to 1":                             r.strength < 0 || r.strength > 1,
		"show_diffusion_stride: must be at least 1 with previews":      r.previews && r.stride < 1,
		"mask: needs an image":                                         r.maskText != nil && r.imageText == nil,
	} {
		if broken {
			return r, fmt.Errorf("%s", message)
		}
	}
	if r.image, err = readPicture(r.imageText, r.width, r.height); err == nil {
		r.mask, err = readPicture(r.maskText, r.width, r.height)
	}
	return r, err
}

func isSide(side int) bool { return side >= 8 && side <= 2048 && side%8 == 0 }

// generate streams the events until the picture is there or the client hangs up.
func generate(w http.ResponseWriter, client context.Context, r request) {
	send := func(name string, data map[string]any) {
		data["type"] = name
		text, _ := json.Marshal(data)
		fmt.Fprintf(w, "event: %s\ndata: %s\n\n", name, text)
		w.(http.Flusher).Flush()
	}
	select {
	case engine <- struct{}{}:
		defer func() { <-engine }()
	case <-client.Done():
		return
	}
	started := time.Now()
	begin, end := paint(r)
	var first int64
	for step := 1; step <= r.steps; step++ {
		select {
		case <-time.After(time.Duration(*stepMs) * time.Millisecond):
		case <-client.Done():
			return
		}
		data := map[string]any{"step": step, "total_steps": r.steps}
		if r.previews && (step-1)%r.stride == 0 { // package json writes []byte as base64
			data["image"] = begin.between(end, float64(step)/float64(r.steps), nil).bytes()
		}
		if step == 1 {
			first = time.Since(started).Milliseconds()
		}
		send("progress", data)
	}
	send("complete", map[string]any{"image": end.bytes(), "seed": r.seed, "width": r.width, "height": r.height, "channels": 3,
		"generation_time_ms": time.Since(started).Milliseconds(), "first_step_time_ms": first})
}

// upscale answers with a picture of four times the size.
func upscale(w http.ResponseWriter, header http.Header, body []byte) {
	started := time.Now()
	width, height := header.Get("X-Image-Width"), header.Get("X-Image-Height")
	opencl := header.Get("X-Use-OpenCL")
	switch path := header.Get("X-Upscaler-Path"); {
	case path == "":
		refuse(w, 400, "X-Upscaler-Path: must be there")
	case path != "default": // a name among those there are, never a path to open
		refuse(w, 404, "X-Upscaler-Path: there is only the upscaler called default")
	case !edge.MatchString(width) || !edge.MatchString(height):
		refuse(w, 400, "X-Image-Width, X-Image-Height: must be there, and be integers from 1 to 99999")
	case opencl != "" && opencl != "true" && opencl != "1" && opencl != "false" && opencl != "0":
		refuse(w, 400, "X-Use-OpenCL: must be true, 1, false or 0")
	case len(body) != number(width)*number(height)*3:
		refuse(w, 400, "the body must be X-Image-Width * X-Image-Height * 3 bytes")
	default:
		picture := enlarged(body, number(width), number(height))
		w.Header().Set("Content-Type", "image/jpeg")
		w.Header().Set("X-Output-Width", fmt.Sprint(number(width)*4))
		w.Header().Set("X-Output-Height", fmt.Sprint(number(height)*4))
		w.Header().Set("X-Duration-Ms", fmt.Sprint(time.Since(started).Milliseconds()))
		w.Write(picture)
	}
}

func number(digits string) int {
	value, _ := strconv.Atoi(digits)
	return value
}

// refuse answers with an error status and the envelope.
func refuse(w http.ResponseWriter, status int, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(map[string]any{"error": map[string]string{"message": message, "type": "request_error"}})
}

func serve(w http.ResponseWriter, r *http.Request) {
	methods := map[string]string{"/health": "GET, HEAD", "/generate": "POST", "/upscale": "POST"}[r.URL.Path]
	if methods == "" {
		refuse(w, 404, "there is no "+r.URL.Path)
		return
	}
	if !strings.Contains(methods, r.Method) {
		w.Header().Set("Allow", methods)
		refuse(w, 405, r.URL.Path+" takes "+methods)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 32<<20))
	if err != nil {
		refuse(w, 413, err.Error())
		return
	}
	switch r.URL.Path {
	case "/generate":
		asked, err := readRequest(body)
		if err != nil {
			refuse(w, 400, err.Error())
			return
		}
		w.Header().Set("Content-Type", "text/event-stream")
		w.Header().Set("Cache-Control", "no-cache")
		generate(w, r.Context(), asked)
	case "/upscale":
		upscale(w, r.Header, body)
	}
}

func main() {
	flag.Parse()
	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", *port))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("ready http://%s\n", listener.Addr())
	log.Fatal(http.Serve(listener, http.HandlerFunc(serve)))
}
