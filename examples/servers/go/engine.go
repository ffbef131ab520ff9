package main

import (
	"bytes"
	"crypto/sha512"
	"encoding/base64"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	_ "image/png"
	"math"
)

// pixels is a picture: row by row, three values a pixel, 0 to 255.
type pixels struct {
	width, height int
	rgb           []float64
}

// readPicture decodes a field, and scales and crops the picture to the size. No text, no picture.
func readPicture(text *string, width, height int) (*pixels, error) {
	if text == nil {
		return nil, nil
	}
	data, err := base64.StdEncoding.Strict().DecodeString(*text)
	if err != nil {
		return nil, fmt.Errorf("image, mask: must be base64 (%v)", err)
	}
	decoded, _, err := image.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("image, mask: must be PNG or JPEG (%v)", err)
	}
	box := decoded.Bounds()
	whole := pixels{box.Dx(), box.Dy(), nil}
	for i := 0; i < box.Dx()*box.Dy(); i++ {
		at := decoded.At(box.Min.X+i%box.Dx(), box.Min.Y+i/box.Dx())
		c := color.NRGBAModel.Convert(at).(color.NRGBA) // transparency is dropped
		whole.rgb = append(whole.rgb, float64(c.R), float64(c.G), float64(c.B))
	}
	scale := math.Min(float64(box.Dx())/float64(width), float64(box.Dy())/float64(height))
	return whole.scaled(width, height, scale, scale), nil
}

// scaled takes the middle of a picture: linear interpolation, each new pixel for scaleX * scaleY old ones.
func (p pixels) scaled(width, height int, scaleX, scaleY float64) *pixels {
	place := func(i, length, old int, scale float64) (int, int, float64) { // two neighbours, and the share of the second
		at := (float64(i)+0.5-float64(length)/2)*scale + float64(old)/2 - 0.5
		at = math.Max(0, math.Min(at, float64(old-1)))
		return int(at), int(math.Ceil(at)), at - math.Floor(at)
	}
	out := &pixels{width, height, make([]float64, 0, width*height*3)}
	for y := 0; y < height; y++ {
		upper, lower, down := place(y, height, p.height, scaleY)
		for x := 0; x < width; x++ {
			left, right, along := place(x, width, p.width, scaleX)
			for c := 0; c < 3; c++ {
				row := func(y int) float64 {
					return p.rgb[(y*p.width+left)*3+c]*(1-along) + p.rgb[(y*p.width+right)*3+c]*along
				}
				out.rgb = append(out.rgb, row(upper)*(1-down)+row(lower)*down)
			}
		}
	}
	return out
}

// between is a picture on the way from p to q: share 0 is p, share 1 is q; with a mask, black stays p.
func (p pixels) between(q *pixels, share float64, mask *pixels) *pixels {
	out := &pixels{p.width, p.height, append([]float64(nil), p.rgb...)}
	for i := range out.rgb {
		part := share
		if mask != nil {
			part *= mask.rgb[i] / 255
		}
		out.rgb[i] += (q.rgb[i] - p.rgb[i]) * part
	}
	return out
}

func (p pixels) bytes() (out []byte) {
	for _, value := range p.rgb {
		out = append(out, byte(math.Round(value)))
	}
	return out
}

// painting is a picture that depends on every part of about: sixteen colours, enlarged.
func painting(width, height int, about ...any) *pixels {
	colours := pixels{4, 4, nil}
	sum := sha512.Sum512([]byte(fmt.Sprintf("%#v", about)))
	for _, value := range sum[:48] {
		colours.rgb = append(colours.rgb, float64(value))
	}
	return colours.scaled(width, height, 4/float64(width), 4/float64(height))
}

// paint gives the pictures where the denoising begins and where it ends.
func paint(r request) (begin, end *pixels) {
	end = painting(r.width, r.height, r.prompt, r.negative, r.seed, r.cfg, r.steps, r.scheduler)
	if r.image == nil {
		return painting(r.width, r.height, "noise", r.seed), end
	}
	return r.image, r.image.between(end, r.strength, r.mask)
}

// enlarged is raw RGB as a JPEG of four times the size.
func enlarged(rgb []byte, width, height int) []byte {
	small := pixels{width, height, nil}
	for _, value := range rgb {
		small.rgb = append(small.rgb, float64(value))
	}
	large := small.scaled(width*4, height*4, 0.25, 0.25).bytes()
	out := image.NewNRGBA(image.Rect(0, 0, width*4, height*4))
	for i := 0; i < width*height*16; i++ {
		copy(out.Pix[i*4:], []byte{large[i*3], large[i*3+1], large[i*3+2], 255})
	}
	var answer bytes.Buffer
	jpeg.Encode(&answer, out, &jpeg.Options{Quality: 95})
	return answer.Bytes()
}
