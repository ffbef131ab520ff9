module localdream.example/server

go 1.19
